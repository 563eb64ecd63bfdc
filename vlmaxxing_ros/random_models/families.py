# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Random-weight models of mlx-vlm's real classes at any size, in a line.

For exactness and speed, which do not depend on what a model knows.  The tokenizer is the nano
model's; architecture and image processor are the real ones.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_vlm.utils import get_model_and_args, update_module_configs

from vlmaxxing_ros.engine.families import Family, make_family
from vlmaxxing_ros.random_models.configs import random_config
from vlmaxxing_ros.random_models.processors import random_processor


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
        model_type: mlx-vlm's name of the architecture, a key of `random_configs.CONFIGS`.
        size: a key of `sizes.SIZES`.
        seed: of the weights.
        dtype: compute type.
        bits: quantise the weights to 4 or 8 bits; 0: not.
        overrides: of the text configuration, such as `num_hidden_layers`.
    """
    config = random_config(model_type, size, overrides)
    mx.random.seed(seed)
    network = build(config)
    if bits:
        # As in published checkpoints: what a scale cannot be shared in stays as it is.
        nn.quantize(
            network,
            bits=bits,
            class_predicate=lambda _, part: (
                hasattr(part, 'to_quantized') and part.weight.shape[-1] % 64 == 0
            ),
        )
        config['quantization'] = {'bits': bits, 'group_size': 64}
    processor = random_processor(model_type, config)
    return make_family(f'random {size} {model_type}', network, processor, config, dtype)


def build(config: dict[str, Any]) -> nn.Module:
    """A model of mlx-vlm's own classes from a config.json's content, weights drawn at random."""
    module, _ = get_model_and_args(config)
    config.setdefault('text_config', {})
    model_config = module.ModelConfig.from_dict(config)
    parts = ['text', 'vision', 'perceiver', 'projector', 'audio']
    model_config = update_module_configs(model_config, module, config, parts)
    model_config.eos_token_id = config['eos_token_id']
    model = module.Model(model_config)
    # All ones in Gemma 3: with normalised features nothing but rounding would come out.
    projector: Any = getattr(model, 'multi_modal_projector', None)
    if hasattr(projector, 'mm_input_projection_weight'):
        shape = projector.mm_input_projection_weight.shape
        projector.mm_input_projection_weight = mx.random.normal(shape) / shape[0] ** 0.5
    # All zeros in Gemma 4's unified embedder: every block would stand in the same place.
    embedder: Any = getattr(model, 'vision_embedder', None)
    if embedder is not None:
        embedder.pos_embedding = mx.random.normal(embedder.pos_embedding.shape)
    return model
