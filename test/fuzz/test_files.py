# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whatever lies in a recording or a model's folder: it is read, or one error says what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fuzz.cases import DAMAGE, TEXT, cases, damaged, tried
from hypothesis import example, given
from hypothesis import strategies as st
from integration.recordings import write_bag

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families.loading import NANO
from vlmaxxing_ros.engine.families.model_folder import check_folder
from vlmaxxing_ros.ros.recording import BagError, Recording


@pytest.fixture(scope='module')
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small recordings of every kind: the file that holds the messages."""
    folder = tmp_path_factory.mktemp('recordings')
    files = {}
    for storage in ('mcap', 'sqlite3', 'ros1'):
        bag = write_bag(folder / f'{storage}.bag', images=3, width=16, height=12, storage=storage)
        files[storage] = next(p for p in (bag, *bag.glob('*.[md][cb]*')) if p.is_file())
    return files


@cases(0.06)
@given(storage=st.sampled_from(['mcap', 'sqlite3', 'ros1']), damage=DAMAGE)
def test_a_damaged_recording(
    recordings: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    storage: str,
    damage: Any,
) -> None:
    sound = recordings[storage]
    file = tmp_path_factory.getbasetemp() / f'damaged{sound.suffix}'
    file.write_bytes(damaged(sound.read_bytes(), *damage))
    remarks: list[str] = []

    def read() -> None:
        with Recording(file, remark=remarks.append) as recording:
            for time, topic, data in recording.messages():
                assert isinstance(time, int)
                assert topic in recording.topics
                assert isinstance(data, (bytes, memoryview))

    tried(read, BagError)
    assert all('Traceback' not in remark for remark in remarks)


KEYS = st.sampled_from(
    ['model_type', 'vision_config', 'text_config', 'num_hidden_layers', 'depth', 'num_experts',
     'auto_map', 'model_file', 'weight_map', 'image_processor', 'quantization']
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXT, inner, max_size=4),
    max_leaves=10,
)
NAMES = (
    'config.json', 'tokenizer_config.json', 'preprocessor_config.json', 'processor_config.json',
    'model.safetensors.index.json', 'generation_config.json', 'chat_template.json',
)  # fmt: skip
SETTINGS = VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)


@pytest.fixture(scope='module')
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """The built-in model's folder, as a copy, anew each time."""
    folder = tmp_path_factory.mktemp('model') / 'copy'

    def make() -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path in NANO.iterdir():
            (folder / path.name).symlink_to(path)
        return folder

    return make


@cases(0.06)
@example(files={'model.safetensors.index.json': b'{"weight_map": null}'}, cut=(None, []))
@example(files={'model.safetensors.index.json': b'{"weight_map": {"a": []}}'}, cut=(None, []))
@example(files={'config.json': b'{"model_type": ["nano"]}'}, cut=(None, []))
@example(files={'generation_config.json': b'[' * 900 + b']' * 900}, cut=(None, []))
@given(files=st.dictionaries(st.sampled_from(NAMES), SETTINGS, min_size=1, max_size=3), cut=DAMAGE)
def test_a_model_folder(model: Callable[[], Path], files: dict[str, bytes], cut: Any) -> None:
    folder = model()
    for name, content in files.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content)
    weights = folder / 'model.safetensors'
    header = damaged(weights.read_bytes()[:4096], *cut)
    weights.unlink()
    weights.write_bytes(header)
    config, why = tried(lambda: check_folder(folder), ModelError)
    assert str(folder) in why or isinstance(config['model_type'], str)
