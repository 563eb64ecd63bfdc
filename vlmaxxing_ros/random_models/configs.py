# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What stands in a config.json for each architecture that random_models can draw.

The shapes are small, the fields are the real ones; ids are those of the nano model's tokenizer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vlmaxxing_ros.random_models.gemma_configs import gemma3, gemma4, gemma4_unified
from vlmaxxing_ros.random_models.qwen_configs import qwen2, qwen3, qwen35
from vlmaxxing_ros.random_models.sizes import EXTRA_TOKENS, SIZES, head_dim


def _lfm2(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    text, vision = SIZES[size]['text'], SIZES[size]['vision']
    return {
        'model_type': 'lfm2_vl',
        'eos_token_id': 500,
        'image_token_id': EXTRA_TOKENS['lfm2_vl']['image_token'][0],
        'min_image_tokens': 16,
        'max_image_tokens': 64,
        'do_image_splitting': False,
        'use_thumbnail': False,
        'projector_hidden_size': text['hidden_size'],
        'text_config': {
            'model_type': 'lfm2',
            'vocab_size': 520,
            'hidden_size': text['hidden_size'],
            'block_dim': text['hidden_size'],
            'block_ff_dim': text['intermediate_size'],
            'block_multiple_of': 16,
            'num_hidden_layers': 4,
            'num_attention_heads': text['num_attention_heads'],
            'num_key_value_heads': text['num_key_value_heads'],
            'layer_types': ['conv', 'conv', 'full_attention', 'conv'],
            **overrides,
        },
        'vision_config': {
            'model_type': 'lfm2_vl',
            'hidden_size': vision['hidden_size'],
            'intermediate_size': vision['intermediate_size'],
            'num_hidden_layers': 2,
            'num_attention_heads': vision['num_heads'],
            'num_patches': 64,
        },
    }


def _pixtral(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    text, vision = SIZES[size]['text'], SIZES[size]['vision']
    shared = ('hidden_size', 'num_hidden_layers', 'intermediate_size', 'num_attention_heads')
    return {
        'model_type': 'pixtral',
        'eos_token_id': 500,
        'image_token_index': EXTRA_TOKENS['pixtral']['image_token'][0],
        'text_config': {
            'model_type': 'mistral',
            'vocab_size': 520,
            'head_dim': head_dim(text),
            'num_key_value_heads': text['num_key_value_heads'],
            **{name: text[name] for name in shared},
            **overrides,
        },
        'vision_config': {
            'model_type': 'pixtral',
            'num_hidden_layers': vision['depth'],
            'hidden_size': vision['hidden_size'],
            'head_dim': vision['hidden_size'] // vision['num_heads'],
            'intermediate_size': vision['intermediate_size'],
            'num_attention_heads': vision['num_heads'],
            'image_size': 1024,
            'patch_size': 16,
        },
    }


CONFIGS: dict[str, Callable[[str, str, dict[str, Any]], dict[str, Any]]] = {
    'qwen2_vl': qwen2,
    'qwen2_5_vl': qwen2,
    'qwen3_vl': qwen3,
    'qwen3_vl_moe': qwen3,
    'qwen3_5': qwen35,
    'qwen3_5_moe': qwen35,
    'lfm2_vl': _lfm2,
    'pixtral': _pixtral,
    'gemma3': gemma3,
    'gemma4': gemma4,
    'gemma4_unified': gemma4_unified,
}


def random_config(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """A config.json's content: a key of `CONFIGS` at a size of `SIZES`.

    `overrides` replace fields of the text configuration.
    """
    return CONFIGS[model_type](model_type, size, overrides)
