# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Is a folder a model, whole and harmless?  Asked before any library opens it.

Reads JSON and the headers of weight files; knows nothing of MLX, transformers or the hub.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vlmaxxing_ros.engine.errors import ModelError

_INDEX = 'model.safetensors.index.json'
# Numbers of parts, each of which has weights of its own.
_PARTS = re.compile(r'(^|_)(depth|layers|blocks)$')
# Numbers that parts of one weight are counted in, or that lists are as long as.
_COUNTS = re.compile(r'(^|_)(heads|experts|stages)$|^(num|n)_experts_')
_MOST = 65536
_HEADER_BYTES = 100_000_000  # as the safetensors library has it


def check_folder(folder: Path) -> dict[str, Any]:
    """The folder's configuration, if everything is there and nothing wants to run code.

    Raises:
        ModelError: the text names the file, and what is wrong with it.
    """
    refuse_code(folder)
    config = _read(folder / 'config.json')
    if not isinstance(config.get('model_type'), str):
        raise ModelError(f'{folder}/config.json names no model_type: not a model folder')
    _check_pixels(folder)
    _check_size(folder, config, sum(map(_tensors, _weights(folder))))
    return config


def weight_bytes(folder: Path) -> int:
    """Bytes of the weights in a folder that has been checked."""
    return sum(path.stat().st_size for path in _weights(folder))


def refuse_code(folder: Path) -> None:
    """Refuse a folder whose tokenizer, processor or model is a program of its own.

    What config.json's `auto_map` names is the model's code for another library: mlx-vlm brings its
    own, and nothing here can run it (`loading.py`).

    Raises:
        ModelError: the text names the file, and the code that it asks for.
    """
    for path in sorted(folder.iterdir()):
        kind = path.stat().st_mode if path.exists() else 0
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise ModelError(f'{path} is neither a file nor a folder: refused')
        if path.suffix != '.json' or not stat.S_ISREG(kind) or path.name == _INDEX:
            continue
        if path.name in ('tokenizer.json', 'vocab.json', 'added_tokens.json'):
            continue  # data, however large
        for key, value in _entries(_read(path)):
            asked = key == 'model_file' or (key == 'auto_map' and path.name != 'config.json')
            if asked and value:
                raise ModelError(f'{path} wants to run its own code ({key}: {value}): refused')


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f'{path.parent} holds no readable {path.name}: {type(error).__name__}: {error}'
        ) from error
    return content if isinstance(content, dict) else {}


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key in nested dictionaries and lists, however deep, with its value."""
    left = [value]
    while left:
        inner = left.pop()
        if isinstance(inner, dict):
            yield from ((str(key), value) for key, value in inner.items())
            left += inner.values()
        elif isinstance(inner, list):
            left += inner


def _check_pixels(folder: Path) -> None:
    """Without its settings an image processor makes up mean and deviation."""
    if (folder / 'preprocessor_config.json').exists():
        return
    combined = folder / 'processor_config.json'
    if not (combined.exists() and 'image_processor' in _read(combined)):
        raise ModelError(
            f'{folder} holds no preprocessor_config.json: without it the model would be shown '
            'wrong pixels; add the file'
        )


def _weights(folder: Path) -> list[Path]:
    """The weight files: those that the index names, or all of them."""
    if (folder / _INDEX).exists():
        named = _read(folder / _INDEX).get('weight_map')
        names: list[Any] = list(named.values()) if isinstance(named, dict) else [None]
        if not all(isinstance(name, str) and '\0' not in name for name in names):
            raise ModelError(f'{folder}/{_INDEX} does not say which file holds which weights')
        paths = [folder / name for name in sorted(set(names))]
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise ModelError(f'{folder} lacks {", ".join(missing)}, which its {_INDEX} names')
    else:
        paths = sorted(folder.glob('*.safetensors'))
    if not paths:
        raise ModelError(f'{folder} holds no *.safetensors: convert the weights first')
    return paths


def _tensors(path: Path) -> int:
    """How many arrays a weight file says it holds."""
    try:
        with path.open('rb') as file:
            size = int.from_bytes(file.read(8), 'little')
            if size > min(_HEADER_BYTES, path.stat().st_size):
                raise ValueError('it is cut short')
            return len(json.loads(file.read(size)))
    except (OSError, ValueError, RecursionError, TypeError) as error:
        raise ModelError(f'{path} cannot be loaded: not a safetensors file ({error})') from error


def _check_size(folder: Path, config: dict[str, Any], tensors: int) -> None:
    """A model of more parts than there are weights would be built for ever, then refused."""
    for key, value in _entries(config):
        if not isinstance(value, int):
            continue
        if (_PARTS.search(key) and value > tensors) or (_COUNTS.search(key) and value > _MOST):
            raise ModelError(
                f'{folder}/config.json claims {key}: {value}, but the weight files hold {tensors} '
                'arrays: refused'
            )
