# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Model folders: good ones load, bad ones are refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import mlx.core as mx
import pytest

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.engine.families.loading import NANO


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
