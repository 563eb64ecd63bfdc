# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What colcon, pip, launch and ament_index make of this repository."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from catkin_pkg.package import parse_package

import vlmaxxing_ros

ROOT = Path(__file__).resolve().parents[1]
MANIFESTS = ('package.xml', 'vlmaxxing_msgs/package.xml')


def _colcon(folder: Path, *arguments: str) -> str:
    """Run the real colcon in `folder`, free of the user's own defaults; return its stdout."""
    colcon = shutil.which('colcon', path=f'{Path(sys.executable).parent}:{os.environ["PATH"]}')
    if colcon is None:
        pytest.skip('colcon is not installed')
    env = {**os.environ, 'COLCON_HOME': str(folder / 'no-such-folder')}
    command = [colcon, '--log-base', '/dev/null', *arguments]
    return subprocess.run(command, cwd=folder, env=env, stdout=-1, text=True, check=True).stdout


def _executables() -> dict[str, str]:
    """Name -> module:function, as setup.py states them."""
    pairs = re.findall(r"'(\w+) = ([\w.]+:\w+)'", (ROOT / 'setup.py').read_text())
    assert pairs
    return dict(pairs)


@pytest.mark.parametrize('path', MANIFESTS)
def test_a_manifest_is_format_3_and_has_no_errors_or_warnings(path: str) -> None:
    warnings: list[str] = []
    package = parse_package(str(ROOT / path), warnings=warnings)
    package.validate(warnings=warnings)  # a bad e-mail address is an error here
    assert warnings == []
    assert package.package_format == 3
    assert ET.parse(ROOT / path).getroot().tag == 'package'


def test_colcon_finds_both_packages_with_their_ament_types_and_no_arguments() -> None:
    assert set(_colcon(ROOT, 'list').splitlines()) == {
        'vlmaxxing_msgs\tvlmaxxing_msgs\t(ros.ament_cmake)',
        'vlmaxxing_ros\t.\t(ros.ament_python)',
    }


def test_colcon_builds_the_interfaces_before_the_package_that_uses_them() -> None:
    names = _colcon(ROOT, 'list', '--topological-order', '--names-only').split()
    assert names == ['vlmaxxing_msgs', 'vlmaxxing_ros']


def test_colcon_finds_both_packages_in_a_workspace_above_with_one_symlink(tmp_path: Path) -> None:
    source = tmp_path / 'src'
    source.mkdir()
    (source / 'vlmaxxing_ros').symlink_to(ROOT)
    (source / 'vlmaxxing_msgs').symlink_to('vlmaxxing_ros/vlmaxxing_msgs')
    listed = _colcon(tmp_path, 'list', '--names-only').split()
    assert sorted(listed) == ['vlmaxxing_msgs', 'vlmaxxing_ros']


def test_one_version_is_stated_everywhere() -> None:
    stated = {path: parse_package(str(ROOT / path)).version for path in MANIFESTS}
    for path in ('setup.py', 'vlmaxxing_msgs/pyproject.toml'):
        found = re.search(r"^ *version ?= ?['\"]([\d.]+)['\"]", (ROOT / path).read_text(), re.M)
        assert found, path
        stated[path] = found[1]
    assert stated == dict.fromkeys(stated, vlmaxxing_ros.__version__)


@pytest.mark.parametrize(('name', 'target'), _executables().items())
def test_an_executable_s_function_can_be_imported(name: str, target: str) -> None:
    function = EntryPoint(name, target, 'console_scripts').load()
    assert callable(function)


def test_everything_that_is_imported_is_declared() -> None:
    manifest = parse_package(str(ROOT / 'package.xml'))
    declared = {dependency.name for dependency in manifest.exec_depends}
    declared |= _names(ROOT / 'requirements' / 'engine.in')  # rosdep has no key for these
    declared |= _names(ROOT / 'requirements' / 'video.in')
    declared |= {'vlmaxxing_ros', 'PIL', 'cv2', 'numpy', 'yaml', *sys.stdlib_module_names}
    declared |= {'torch'}  # trains the nano model, and nothing else
    files = [*(ROOT / 'vlmaxxing_ros').rglob('*.py'), *(ROOT / 'launch').glob('*.py')]
    undeclared = {
        f'{path.relative_to(ROOT)}: {name}' for path in files for name in _imported(path) - declared
    }
    assert undeclared == set()


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split('.')[0])
    return names


def _names(requirements: Path) -> set[str]:
    lines = requirements.read_text().splitlines()
    return {found[0].replace('-', '_') for line in lines if (found := re.match(r'[\w-]+', line))}


def test_the_lock_names_every_direct_requirement_with_hashes_and_no_registry() -> None:
    lock = (ROOT / 'requirements' / 'lock.txt').read_text()
    locked = re.findall(r'^([\w.-]+)==\S+(.*)\\\n +--hash=sha256:[0-9a-f]{64}', lock, re.M)
    names = {name.lower().replace('-', '_') for name, _ in locked}
    assert len(names) > 100
    assert len(re.findall(r'^[\w.-]+', lock, re.M)) == len(locked)
    for path in sorted((ROOT / 'requirements').glob('*.in')):
        assert {name.lower() for name in _names(path)} <= names, path.name
    for path in (ROOT / 'requirements').iterdir():
        assert '://' not in path.read_text(), path.name


def test_the_interfaces_build_without_isolation_from_what_is_locked() -> None:
    text = (ROOT / 'vlmaxxing_msgs' / 'pyproject.toml').read_text()
    block = re.search(r'^requires = \[(.*?)^\]', text, re.M | re.S)
    assert block
    needed = set(re.findall(r'"([^"]+)"', block[1]))
    build = (ROOT / 'requirements' / 'build.in').read_text() + (
        ROOT / 'requirements' / 'ros.in'
    ).read_text()
    assert needed <= set(build.split())


def test_the_fast_dds_profile_gives_raw_images_room() -> None:
    space = {'dds': 'http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles'}
    profile = ET.parse(ROOT / 'config' / 'fastdds_shm.xml').getroot()
    size = profile.findtext('.//dds:segment_size', namespaces=space)
    full_hd = 1920 * 1080 * 3
    assert size is not None
    assert int(size) >= 8 * full_hd
    largest = profile.findtext('.//dds:maxMessageSize', namespaces=space)
    assert largest is not None
    assert int(largest) > full_hd


def test_ros_2_run_finds_executables_where_setup_cfg_puts_them() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / 'setup.cfg')
    assert config['develop']['script_dir'] == '$base/lib/vlmaxxing_ros'
    assert config['install']['install_scripts'] == '$base/lib/vlmaxxing_ros'


def test_a_wheel_carries_the_data_files_and_the_model(tmp_path: Path) -> None:
    pytest.importorskip('pip')
    source = tmp_path / 'source'
    for name in ('config', 'launch', 'resource', 'vlmaxxing_ros'):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name)
    for name in ('LICENSE', 'package.xml', 'pyproject.toml', 'setup.cfg', 'setup.py'):
        shutil.copy(ROOT / name, source)
    options = ['-q', '--no-index', '--no-deps', '--no-build-isolation', '--wheel-dir', tmp_path]
    subprocess.run([sys.executable, '-m', 'pip', 'wheel', *options, source], check=True)
    (wheel,) = tmp_path.glob('*.whl')
    names = zipfile.ZipFile(wheel).namelist()
    packed = {name.partition('.data/data/')[2] or name for name in names}
    expected = {'share/ament_index/resource_index/packages/vlmaxxing_ros'}
    expected |= {'share/vlmaxxing_ros/package.xml', 'vlmaxxing_ros/py.typed'}
    data = [*ROOT.glob('config/*'), *ROOT.glob('launch/*.launch.*')]
    expected |= {f'share/vlmaxxing_ros/{path.relative_to(ROOT)}' for path in data}
    nano = [*ROOT.glob('vlmaxxing_ros/demo/nano/*')]
    expected |= {str(path.relative_to(ROOT)) for path in nano}
    assert expected - packed == set()
    assert not [name for name in packed if name.startswith(('test/', 'bench/', 'vlmaxxing_msgs/'))]


def test_the_installed_package_is_found_by_ament_index_with_its_data_and_executables() -> None:
    ament = pytest.importorskip('ament_index_python.packages')
    try:
        distribution('vlmaxxing_ros')
        prefix = Path(ament.get_package_prefix('vlmaxxing_ros'))
    except (PackageNotFoundError, ament.PackageNotFoundError):
        pytest.skip('vlmaxxing_ros is not installed here')
    share = prefix / 'share' / 'vlmaxxing_ros'
    assert (share / 'package.xml').read_text() == (ROOT / 'package.xml').read_text()
    assert (share / 'config' / 'fastdds_shm.xml').is_file()
    for name in _executables():
        assert os.access(prefix / 'lib' / 'vlmaxxing_ros' / name, os.X_OK), name


def test_the_defaults_of_colcon_cover_every_verb_that_selects_packages() -> None:
    defaults = yaml.safe_load((ROOT / 'colcon_defaults.yaml').read_text())
    for verb in ('build', 'graph', 'info', 'list', 'test'):
        assert defaults[verb]['base-paths'] == ['.', 'vlmaxxing_msgs']
