# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""From a model's name to a family: find the folder, check it, load it through mlx-vlm.

Only safetensors and mlx-vlm's own classes: no pickles, no code from a checkpoint.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_vlm.utils import get_model_path, load, resolve_eos_token_ids

from vlmaxxing_ros.engine.errors import EngineError, ModelError
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.families.gemma4 import Gemma4
from vlmaxxing_ros.engine.families.gemma4_unified import Gemma4Unified
from vlmaxxing_ros.engine.families.generic import Generic
from vlmaxxing_ros.engine.families.qwen2_vl import Qwen2VL
from vlmaxxing_ros.engine.families.qwen3_5 import Qwen35
from vlmaxxing_ros.engine.families.qwen3_vl import Qwen3VL
from vlmaxxing_ros.engine.families.self_test import self_test

NANO = Path(__file__).parents[2] / 'demo' / 'nano'

FAMILIES: dict[str, type[Qwen2VL] | type[Gemma4]] = {
    'qwen2_vl': Qwen2VL,
    'qwen2_5_vl': Qwen2VL,
    'qwen3_vl': Qwen3VL,
    'qwen3_vl_moe': Qwen3VL,
    'qwen3_5': Qwen35,
    'qwen3_5_moe': Qwen35,
    'gemma4': Gemma4,
    'gemma4_unified': Gemma4Unified,
}
_PATTERNS = ['*.json', '*.safetensors', '*.jinja', '*.txt', '*.model', '*.tiktoken']


def load_family(
    model: str, dtype: str = 'auto', kv_bits: int = 0, visual_experts: int = 0
) -> Family:
    """Load a model: `nano`, a folder, or a hub id.

    Args:
        model: name of the model.
        dtype: compute type of unquantised weights; `auto` is float32 on the CPU, where narrow
            types bypass BLAS, and as stored on a GPU.
        kv_bits: 4 or 8: keys and values are kept in as many bits; 0: as they are computed.
        visual_experts: experts per visual row of a mixture-of-experts model; 0: its own number.

    Raises:
        ModelError: the model is missing, broken, or of a family that is not supported.
    """
    folder = _find(model)
    config = _read_config(folder)
    try:
        network, processor = load(str(folder))
    except Exception as error:  # mlx-vlm raises whatever its parser met; all mean the same here
        raise ModelError(f'model {model!r} in {folder} cannot be loaded: {error}') from error
    family = make_family(model, network, processor, config, dtype)
    family.quantize_cache(kv_bits)
    family.spare_experts(visual_experts)
    return family


def make_family(
    name: str, network: nn.Module, processor: Any, config: dict[str, Any], dtype: str = 'auto'
) -> Family:
    """Wrap a loaded mlx-vlm model and its processor.

    Raises:
        ModelError: the model's type is unknown, and it fails the self-test.
    """
    if dtype == 'auto':
        dtype = 'float32' if mx.default_device() == mx.Device(mx.cpu) else 'stored'
    if dtype != 'stored' and 'quantization' not in config:
        network.set_dtype(getattr(mx, dtype))
    mx.eval(network.parameters())
    tokenizer = getattr(processor, 'tokenizer', processor)
    ends = resolve_eos_token_ids(getattr(network.config, 'eos_token_id', None), tokenizer)
    kind = FAMILIES.get(str(config.get('model_type')))
    if kind is not None:
        return kind(name, network, processor, set(ends))
    return _make_generic(name, network, processor, set(ends))


def _make_generic(name: str, network: nn.Module, processor: Any, ends: set[int]) -> Generic:
    """A family for a model that nobody has looked into: it must prove that it can be streamed."""
    try:
        family = Generic(name, network, processor, ends)
        result = self_test(family)
    except EngineError as error:
        raise ModelError(f'model {name!r} cannot be streamed: {error}') from error
    except Exception as error:  # any model's code may run here; all mean the same
        raise ModelError(
            f'model {name!r} cannot be streamed: its own code fails on it ({error!r})'
        ) from error
    if not result.ok:
        raise ModelError(f'model {name!r} cannot be streamed exactly: {result.text}')
    return family


def _find(model: str) -> Path:
    if model == 'nano':
        return NANO
    folder = Path(model).expanduser()
    if folder.exists():
        return folder
    if folder.is_absolute() or model.startswith(('.', '~')) or model.count('/') != 1:
        raise ModelError(f'model folder {model!r} does not exist: check the parameter `model`')
    try:
        return Path(get_model_path(model, allow_patterns=_PATTERNS))
    except Exception as error:  # the hub client has its own zoo of network errors
        raise ModelError(
            f'model {model!r} is neither a folder nor to be had from the hub ({error}): '
            'download it first, or use `nano`'
        ) from error


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / 'config.json').read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f'{folder} holds no readable config.json: {error}') from error
    if not isinstance(config, dict) or 'model_type' not in config:
        raise ModelError(f'{folder}/config.json names no model_type: not a model folder')
    if 'model_file' in config:
        raise ModelError(f'{folder} wants to run its own code (model_file): refused')
    if not any(folder.glob('*.safetensors')):
        raise ModelError(f'{folder} holds no *.safetensors: convert the weights first')
    return config
