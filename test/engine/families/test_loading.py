# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Model folders: good ones load, bad ones are refused by name."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from scarcity import little_memory
from transformers import AutoTokenizer

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.engine.families.loading import NANO, forbid_code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the nano model's folder, to be broken."""
    return Path(shutil.copytree(NANO, tmp_path / 'model'))


def test_the_nano_model_and_a_folder_load(folder: Path) -> None:
    for model in ('nano', str(folder)):
        family = load_family(model)
        assert family.name == model
        assert family.capabilities.tail_refresh


def test_the_compute_type_is_float32_on_the_cpu_unless_asked_for(folder: Path) -> None:
    if mx.default_device() != mx.Device(mx.cpu):
        pytest.skip('on a GPU weights stay as they are stored')
    weight = load_family('nano').model.language_model.model.embed_tokens.weight
    assert weight.dtype == mx.float32
    weight = load_family('nano', 'bfloat16').model.language_model.model.embed_tokens.weight
    assert weight.dtype == mx.bfloat16


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(ModelError, match='/no/such/model'):
        load_family('/no/such/model')


def test_a_folder_without_a_config_is_refused(folder: Path) -> None:
    (folder / 'config.json').unlink()
    with pytest.raises(ModelError, match=r'config\.json'):
        load_family(str(folder))


def test_a_folder_without_safetensors_is_refused(folder: Path) -> None:
    (folder / 'model.safetensors').rename(folder / 'model.bin')
    with pytest.raises(ModelError, match='safetensors'):
        load_family(str(folder))


def test_broken_weights_are_refused(folder: Path) -> None:
    path = folder / 'model.safetensors'
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match='cannot be loaded'):
        load_family(str(folder))


def test_missing_weights_are_refused(folder: Path) -> None:
    path = str(folder / 'model.safetensors')
    weights = mx.load(path)
    weights.pop(next(iter(weights)))
    mx.save_safetensors(path, weights)
    with pytest.raises(ModelError, match='cannot be loaded'):
        load_family(str(folder))


def test_code_in_a_checkpoint_is_never_run(folder: Path) -> None:
    config = json.loads((folder / 'config.json').read_text())
    (folder / 'config.json').write_text(json.dumps({**config, 'model_file': 'evil.py'}))
    ran = folder / 'ran'
    (folder / 'evil.py').write_text(f'open({str(ran)!r}, "w")')
    with pytest.raises(ModelError, match='its own code'):
        load_family(str(folder))
    assert not ran.exists()


def _edit(path: Path, **fields: Any) -> None:
    """Change fields of a JSON file, which is made if it is not there."""
    content = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**content, **fields}))


@pytest.mark.parametrize(
    'file', ['tokenizer_config.json', 'processor_config.json', 'preprocessor_config.json']
)
@pytest.mark.parametrize('form', ['evil.Evil', 'somebody/elses--evil.Evil'])
def test_a_tokenizer_or_processor_of_its_own_is_refused_by_name(
    folder: Path, file: str, form: str
) -> None:
    ran = folder / 'ran'
    (folder / 'evil.py').write_text(f'open({str(ran)!r}, "w")')
    names = ('AutoTokenizer', 'AutoProcessor', 'AutoImageProcessor')
    _edit(folder / file, auto_map=dict.fromkeys(names, form))
    with pytest.raises(ModelError, match=f'{file} wants to run its own code .*evil.Evil'):
        load_family(str(folder))
    assert not ran.exists()


def test_transformers_runs_no_code_of_a_checkpoint_even_when_told_to(folder: Path) -> None:
    ran = folder / 'ran'
    (folder / 'evil.py').write_text(f'open({str(ran)!r}, "w")')
    _edit(folder / 'tokenizer_config.json', auto_map={'AutoTokenizer': [None, 'evil.Evil']})
    forbid_code()
    with pytest.raises(ModelError, match='its own code'):
        AutoTokenizer.from_pretrained(str(folder), trust_remote_code=True)
    assert not ran.exists()


def test_what_config_json_maps_for_other_libraries_is_left_alone(folder: Path) -> None:
    ran = folder / 'ran'
    (folder / 'evil.py').write_text(f'open({str(ran)!r}, "w")')
    _edit(folder / 'config.json', auto_map={'AutoConfig': 'evil.Evil', 'AutoModel': 'evil.Evil'})
    load_family(str(folder))
    assert not ran.exists()


@pytest.mark.parametrize('name', ['tokenizer.json', 'chat_template.jinja', 'further.safetensors'])
def test_what_is_no_file_is_refused_before_anybody_waits_for_it(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(ModelError, match=f'{name} is neither a file nor a folder'):
        load_family(str(folder))


@pytest.mark.parametrize(
    ('part', 'field'),
    [
        ('', 'num_hidden_layers'),
        ('vision_config', 'depth'),
        ('vision_config', 'num_hidden_layers'),
        ('text_config', 'num_experts'),
    ],
)
def test_a_config_that_claims_more_than_there_are_weights_for_is_refused_before_it_is_built(
    folder: Path, part: str, field: str
) -> None:
    path = folder / 'config.json'
    config = json.loads(path.read_text())
    (config.setdefault(part, {}) if part else config)[field] = 10**9
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match=f'claims {field}: 1000000000'):
        load_family(str(folder))


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux refuses memory on request')
def test_a_model_larger_than_the_memory_is_refused_before_it_is_read(folder: Path) -> None:
    (folder / 'further.safetensors').write_bytes((2).to_bytes(8, 'little') + b'{}' + bytes(10**8))
    with (
        little_memory(50_000_000),
        pytest.raises(ModelError, match=r'holding its weights takes about 0\.1 GB of memory'),
    ):
        load_family(str(folder))


def test_a_missing_shard_is_named(folder: Path) -> None:
    index = {'weight_map': {'a': 'model.safetensors', 'b': 'model-00002-of-00002.safetensors'}}
    (folder / 'model.safetensors.index.json').write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r'lacks model-00002-of-00002\.safetensors'):
        load_family(str(folder))


def test_a_folder_without_pixel_settings_is_refused(folder: Path) -> None:
    (folder / 'preprocessor_config.json').unlink()
    with pytest.raises(ModelError, match=r'no preprocessor_config\.json'):
        load_family(str(folder))


@pytest.mark.parametrize('name', ['config.json', 'tokenizer_config.json'])
@pytest.mark.parametrize('content', ['{', '[' * 100_000, '\xff'])
def test_a_file_that_is_not_json_is_named(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content, encoding='latin-1')
    with pytest.raises(ModelError, match=f'no readable {name}'):
        load_family(str(folder))


def test_a_template_that_is_not_jinja_is_one_clear_line(folder: Path) -> None:
    (folder / 'chat_template.jinja').write_text('{% for message in %}\n')
    with pytest.raises(ModelError, match='chat template cannot be rendered') as refusal:
        load_family(str(folder))
    assert '\n' not in str(refusal.value)


def test_a_known_family_that_is_prompted_in_another_way_is_refused(folder: Path) -> None:
    path = folder / 'chat_template.jinja'
    numbered = path.read_text().replace(
        '<|vision_start|><|image_pad|>', 'Picture {{ loop.index }}: <|vision_start|><|image_pad|>'
    )
    path.write_text(numbered)
    with pytest.raises(ModelError, match=r'cannot be streamed exactly: the processor writes .*'):
        load_family(str(folder))


def test_weights_that_are_not_numbers_are_seen_at_load(folder: Path) -> None:
    path = str(folder / 'model.safetensors')
    weights = mx.load(path)
    name = next(name for name in weights if 'layers.0' in name and 'weight' in name)
    weights[name] = weights[name] * mx.nan
    mx.save_safetensors(path, weights, metadata={'format': 'mlx'})
    with pytest.raises(ModelError, match='not finite numbers in float32'):
        load_family(str(folder))


def test_a_type_that_is_too_narrow_for_the_tower_is_seen_at_load(folder: Path) -> None:
    path = str(folder / 'model.safetensors')
    weights = mx.load(path)
    for name in weights:
        if 'visual.blocks' in name or 'vision_tower.blocks' in name:
            weights[name] = weights[name].astype(mx.float32) * 200
    mx.save_safetensors(path, weights, metadata={'format': 'mlx'})
    with pytest.raises(ModelError, match='in float16: set dtype to float32 or bfloat16'):
        load_family(str(folder), 'float16')


def test_a_revision_is_for_hub_ids(folder: Path) -> None:
    with pytest.raises(ModelError, match='model_revision'):
        load_family(str(folder), revision='v1.0')


def test_a_revision_is_what_the_hub_is_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network the hub's client looks into its cache: this one holds two revisions."""
    repository = tmp_path / 'hub' / 'models--some--model'
    for number in (1, 2):
        commit = f'{number:040x}'
        shutil.copytree(folder, repository / 'snapshots' / commit)
        (repository / 'refs').mkdir(exist_ok=True)
        (repository / 'refs' / f'v{number}').write_text(commit)
    evil = repository / 'snapshots' / f'{2:040x}' / 'tokenizer_config.json'
    _edit(evil, auto_map={'AutoTokenizer': 'evil.Evil'})
    monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path / 'hub'))
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    assert load_family('some/model', revision='v1').name == 'some/model'
    with pytest.raises(ModelError, match='its own code'):
        load_family('some/model', revision='v2')


def test_a_hub_that_says_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(('127.0.0.1', 0)) as server:  # nobody accepts
        monkeypatch.setenv('HF_ENDPOINT', f'http://127.0.0.1:{server.getsockname()[1]}')
        monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path / 'hub'))
        monkeypatch.setattr('vlmaxxing_ros.engine.families.hub.PATIENCE', 1.0)
        with pytest.raises(ModelError, match=r"'some/model' at 'v3' .* sent nothing for 1 s"):
            load_family('some/model', revision='v3')
