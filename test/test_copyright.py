# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Every Python file says whose it is and under which licence, as ament_copyright asks."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = '# Copyright 2026 The vlmaxxing_ros authors\n# SPDX-License-Identifier: Apache-2.0\n'


def test_every_python_file_opens_with_copyright_licence_and_docstring() -> None:
    folders = ('vlmaxxing_ros', 'test', 'launch', 'bench', 'examples')
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob('*.py'))]
    files.append(ROOT / 'setup.py')
    assert ROOT / 'vlmaxxing_ros' / '__init__.py' in files
    opening = re.compile(rf'{re.escape(HEADER)}\n?r?"""')
    without = [str(path.relative_to(ROOT)) for path in files if not opening.match(path.read_text())]
    assert without == []


def test_the_licence_is_the_whole_of_apache_2_for_both_packages() -> None:
    licence = (ROOT / 'LICENSE').read_text(encoding='utf-8')
    assert 'Version 2.0, January 2004' in licence
    assert 'END OF TERMS AND CONDITIONS' in licence
    assert (ROOT / 'vlmaxxing_msgs' / 'LICENSE').read_text(encoding='utf-8') == licence
