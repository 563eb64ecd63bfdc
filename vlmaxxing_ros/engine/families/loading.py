# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""From a model's name to a family: find the folder, check it, load it through mlx-vlm.

Only safetensors and mlx-vlm's own classes: no pickles, no code from a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import mlx.core as mx
import mlx.nn as nn
from mlx_vlm.utils import load, resolve_eos_token_ids
from transformers import dynamic_module_utils

from vlmaxxing_ros.engine.errors import EngineError, ModelError
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.families.divergence import divergence
from vlmaxxing_ros.engine.families.fastvlm import FastVLM
from vlmaxxing_ros.engine.families.gemma4 import Gemma4
from vlmaxxing_ros.engine.families.gemma4_unified import Gemma4Unified
from vlmaxxing_ros.engine.families.generic import Generic, image_token_id
from vlmaxxing_ros.engine.families.hub import fetch
from vlmaxxing_ros.engine.families.model_folder import check_folder, refuse_code, weight_bytes
from vlmaxxing_ros.engine.families.qwen2_vl import Qwen2VL
from vlmaxxing_ros.engine.families.qwen3_5 import Qwen35
from vlmaxxing_ros.engine.families.qwen3_vl import Qwen3VL
from vlmaxxing_ros.engine.families.self_test import self_test
from vlmaxxing_ros.engine.memory import require

NANO = Path(__file__).parents[2] / 'demo' / 'nano'

FAMILIES: dict[str, type[Qwen2VL] | type[Gemma4] | type[FastVLM]] = {
    'qwen2_vl': Qwen2VL,
    'qwen2_5_vl': Qwen2VL,
    'qwen3_vl': Qwen3VL,
    'qwen3_vl_moe': Qwen3VL,
    'qwen3_5': Qwen35,
    'qwen3_5_moe': Qwen35,
    'gemma4': Gemma4,
    'gemma4_unified': Gemma4Unified,
    'fastvlm': FastVLM,
    'llava_qwen2': FastVLM,
}
_SETTINGS = ['*.json', '*.jinja', '*.txt', '*.model', '*.tiktoken']
_WEIGHTS = ['*.safetensors']


def load_family(
    model: str,
    dtype: str = 'auto',
    kv_bits: int = 0,
    visual_experts: int = 0,
    revision: str = 'main',
) -> Family:
    """Load a model: `nano`, a folder, or a hub id.

    Args:
        model: name of the model.
        dtype: compute type of unquantised weights; `auto` is float32 on the CPU, where narrow
            types bypass BLAS, and as stored on a GPU.
        kv_bits: 4 or 8: keys and values are kept in as many bits; 0: as they are computed.
        visual_experts: experts per visual row of a mixture-of-experts model; 0: its own number.
        revision: branch, tag or commit of a hub id.

    Raises:
        ModelError: the model is missing, broken, larger than the memory, of a family that is not
            supported, asks for code of its own, or does not stream what one cold prompt means.
    """
    forbid_code()
    folder = _find(model, revision)
    config = check_folder(folder)
    try:
        require(weight_bytes(folder), 'holding its weights')
        network, processor = load(str(folder), trust_remote_code=False)
    except Exception as error:  # mlx-vlm raises whatever its parser met; all mean the same here
        raise ModelError(f'model {model!r} in {folder} cannot be loaded: {error}') from error
    family = make_family(model, network, processor, config, dtype)
    reading = family.text.read_ahead()
    if config['model_type'] in FAMILIES:
        _prove(family)
        _prove_carrying(family)
    family.quantize_cache(kv_bits)
    family.spare_experts(visual_experts)
    reading.join()
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
    ends = set(resolve_eos_token_ids(getattr(network.config, 'eos_token_id', None), tokenizer))
    ends |= set(getattr(processor, 'additional_eos_token_ids', ()))
    kind = FAMILIES.get(str(config.get('model_type')))
    with _by_name(name):
        if kind is not None:
            return kind(name, network, processor, ends)
        shown = image_token_id(network.config, config, processor)
        family = Generic(name, network, processor, ends, image_id=shown)
    _prove(family)
    return family


@contextmanager
def _by_name(name: str) -> Iterator[None]:
    """Any model's code may run here: whatever it raises is an error that names the model."""
    try:
        yield
    except EngineError as error:
        raise ModelError(f'model {name!r} cannot be streamed: {error}') from error
    except Exception as error:
        raise ModelError(
            f'model {name!r} cannot be streamed: its own code fails on it ({error!r})'
        ) from error


def _prove(family: Family) -> None:
    """A stream must be what one cold prompt is, and made of numbers."""
    with _by_name(family.name):
        result = self_test(family)
    if not result.ok:
        raise ModelError(f'model {family.name!r} cannot be streamed exactly: {result.text}')


def _prove_carrying(family: Family) -> None:
    """Leave carrying off where answers would drift."""
    if family.capabilities.carry:
        with _by_name(family.name):
            able = divergence(family).ok
        family.capabilities = replace(family.capabilities, carry=able)


def forbid_code() -> None:
    """From now on transformers runs no code of a checkpoint in this process, on any path.

    Some processors of mlx-vlm ask it to, whatever they are told.
    """

    def refuse(name: Any, *_: Any, **__: Any) -> NoReturn:
        raise ModelError(f'a checkpoint wants to run its own code ({name}): refused')

    # Every path, local or from another repository on the hub, passes these two.
    for gate in ('get_cached_module_file', 'get_class_in_module'):
        setattr(dynamic_module_utils, gate, refuse)


def _find(model: str, revision: str) -> Path:
    if model == 'nano':
        return NANO
    folder = Path(model).expanduser()
    if folder.exists():
        if revision != 'main':
            raise ModelError(f'model_revision {revision!r} is for hub ids: {model} is a folder')
        return folder
    if folder.is_absolute() or model.startswith(('.', '~')) or model.count('/') != 1:
        raise ModelError(f'model folder {model!r} does not exist: check the parameter `model`')
    try:
        # Settings first: what is to be refused is not worth its weights.
        folder = fetch(model, revision, _SETTINGS)
    except ModelError as error:
        raise _not_there(model, revision, error) from error
    refuse_code(folder)
    try:
        return fetch(model, revision, _SETTINGS + _WEIGHTS)
    except ModelError as error:
        raise _not_there(model, revision, error) from error


def _not_there(model: str, revision: str, error: ModelError) -> ModelError:
    at = f' at {revision!r}' if revision != 'main' else ''
    return ModelError(
        f'model {model!r}{at} is neither a folder nor to be had from the hub ({error}): '
        'download it first, or use `nano`'
    )
