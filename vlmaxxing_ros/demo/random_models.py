# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random-weight models of mlx-vlm's real classes at any size, in a line.

For exactness and speed, which do not depend on what a model knows.  The tokenizer and the image
processor are the nano model's; the architecture is the real one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_vlm.utils import get_model_and_args, load_processor, update_module_configs

from vlmaxxing_ros.engine.families import Family, make_family
from vlmaxxing_ros.engine.families.loading import NANO

# Language and vision widths; `7b` is Qwen2.5-VL-7B-Instruct's shape.
SIZES: dict[str, dict[str, Any]] = {
    'tiny': {
        'text': {'hidden_size': 64, 'num_hidden_layers': 2, 'intermediate_size': 96,
                 'num_attention_heads': 4, 'num_key_value_heads': 2, 'sections': [2, 3, 3],
                 'tie_word_embeddings': False},
        'vision': {'depth': 3, 'hidden_size': 48, 'intermediate_size': 64, 'num_heads': 2,
                   'fullatt_block_indexes': [1]},
    },
    'small': {
        'text': {'hidden_size': 512, 'num_hidden_layers': 8, 'intermediate_size': 1408,
                 'num_attention_heads': 8, 'num_key_value_heads': 2, 'sections': [8, 12, 12]},
        'vision': {'depth': 8, 'hidden_size': 320, 'intermediate_size': 864, 'num_heads': 4,
                   'fullatt_block_indexes': [3, 7]},
    },
    '7b': {
        'text': {'hidden_size': 3584, 'num_hidden_layers': 28, 'intermediate_size': 18944,
                 'num_attention_heads': 28, 'num_key_value_heads': 4, 'sections': [16, 24, 24],
                 'vocab_size': 152064, 'tie_word_embeddings': False},
        'vision': {'depth': 32, 'hidden_size': 1280, 'intermediate_size': 3420, 'num_heads': 16,
                   'fullatt_block_indexes': [7, 15, 23, 31]},
    },
}  # fmt: skip


def random_family(
    model_type: str = 'qwen2_5_vl',
    size: str = 'tiny',
    *,
    seed: int = 0,
    dtype: str = 'auto',
    bits: int = 0,
    **overrides: Any,
) -> Family:
    """A family around a random model.

    Args:
        model_type: mlx-vlm's name of the architecture.
        size: a key of `SIZES`.
        seed: of the weights.
        dtype: compute type.
        bits: quantise the weights to 4 or 8 bits; 0: not.
        overrides: of the text configuration, such as `num_hidden_layers`.
    """
    config = _config(model_type, size, overrides)
    mx.random.seed(seed)
    network = build(config)
    if bits:
        nn.quantize(network, bits=bits)
        config['quantization'] = {'bits': bits, 'group_size': 64}
    processor = load_processor(Path(NANO), True, eos_token_ids=config['eos_token_id'])
    # The nano model's limit on the image size is not this model's.
    processor.image_processor.max_pixels = 16384 * 28 * 28
    processor.image_processor.min_pixels = 28 * 28
    return make_family(f'random {size} {model_type}', network, processor, config, dtype)


def build(config: dict[str, Any]) -> nn.Module:
    """A model of mlx-vlm's own classes from a config.json's content, weights drawn at random."""
    module, _ = get_model_and_args(config)
    config.setdefault('text_config', {})
    model_config = module.ModelConfig.from_dict(config)
    parts = ['text', 'vision', 'perceiver', 'projector', 'audio']
    model_config = update_module_configs(model_config, module, config, parts)
    model_config.eos_token_id = config['eos_token_id']
    return module.Model(model_config)


def _config(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    text, vision = dict(SIZES[size]['text']), dict(SIZES[size]['vision'])
    sections = text.pop('sections')
    if model_type == 'qwen2_vl':
        width = vision.pop('hidden_size')
        ratio = vision.pop('intermediate_size') / width
        vision.pop('fullatt_block_indexes')
        vision |= {'embed_dim': width, 'mlp_ratio': ratio, 'hidden_size': text['hidden_size']}
    else:
        vision |= {'out_hidden_size': text['hidden_size'], 'window_size': 112}
    return {
        'model_type': model_type,
        'vocab_size': 512,
        'rms_norm_eps': 1e-6,
        'max_position_embeddings': 32768,
        'rope_theta': 10000.0,
        'rope_scaling': {'type': 'mrope', 'mrope_section': sections},
        'tie_word_embeddings': True,
        **text,
        **overrides,
        'eos_token_id': 500,
        'image_token_id': 510,
        'video_token_id': 511,
        'vision_start_token_id': 507,
        'vision_end_token_id': 508,
        'vision_token_id': 509,
        'vision_config': {
            'model_type': model_type,
            'in_channels': 3,
            'patch_size': 14,
            'spatial_patch_size': 14,
            'spatial_merge_size': 2,
            'temporal_patch_size': 2,
            **vision,
        },
    }
