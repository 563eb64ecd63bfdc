# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What stands in a config.json of the Qwen-VL families."""

from __future__ import annotations

from typing import Any

from vlmaxxing_ros.random_models.sizes import SIZES, head_dim

_QWEN_IDS = {
    'eos_token_id': 500,
    'image_token_id': 510,
    'video_token_id': 511,
    'vision_start_token_id': 507,
    'vision_end_token_id': 508,
    'vision_token_id': 509,
}


def _sections(text: dict[str, Any]) -> list[int]:
    """Take the M-RoPE sections out of a size, scaled to the heads' width."""
    sections = text.pop('sections')
    return [s * head_dim(text) // (2 * sum(sections)) for s in sections]


def qwen2(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Qwen2-VL or Qwen2.5-VL."""
    text, vision = SIZES[size]['text'] | overrides, dict(SIZES[size]['vision'])
    sections = _sections(text)
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
        **_QWEN_IDS,
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


def qwen3(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Qwen3-VL, dense or with experts."""
    text, vision = SIZES[size]['text'] | overrides, dict(SIZES[size]['vision'])
    # Interleaved M-RoPE wants the first section at least as long as the others.
    sections = sorted(_sections(text), reverse=True)
    vision.pop('fullatt_block_indexes')
    if model_type == 'qwen3_vl_moe':
        text = {
            'num_experts': 4,
            'num_experts_per_tok': 2,
            'decoder_sparse_step': 1,
            'mlp_only_layers': [],
            'moe_intermediate_size': 48,
            **text,
        }
    return {
        'model_type': model_type,
        **_QWEN_IDS,
        'text_config': {
            'model_type': model_type,
            'vocab_size': 512,
            'rms_norm_eps': 1e-6,
            'max_position_embeddings': 32768,
            'rope_theta': 10000.0,
            'head_dim': head_dim(text),
            'rope_scaling': {'type': 'mrope', 'mrope_section': sections},
            **text,
        },
        'vision_config': {
            'model_type': model_type,
            'in_channels': 3,
            'patch_size': 16,
            'spatial_merge_size': 2,
            'temporal_patch_size': 2,
            'num_position_embeddings': 64,
            'out_hidden_size': text['hidden_size'],
            'deepstack_visual_indexes': [0, 1],
            **vision,
        },
    }


def qwen35(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Qwen3.5, dense or with experts."""
    config = qwen3('qwen3_vl', size, overrides)
    text, vision = config['text_config'], config['vision_config']
    sections = text.pop('rope_scaling')['mrope_section']
    if model_type == 'qwen3_5_moe':
        text |= {
            'num_experts': 4,
            'num_experts_per_tok': 2,
            'moe_intermediate_size': 48,
            'shared_expert_intermediate_size': 48,
            **overrides,
        }
    text |= {
        'model_type': f'{model_type}_text',
        'num_hidden_layers': max(4, text['num_hidden_layers']),
        'full_attention_interval': 2,
        'linear_num_value_heads': 4,
        'linear_num_key_heads': 2,
        'linear_key_head_dim': 16,
        'linear_value_head_dim': 16,
        'linear_conv_kernel_dim': 4,
        'eos_token_id': config['eos_token_id'],
        'rope_parameters': {
            'type': 'default',
            'mrope_section': sections,
            'rope_theta': text.pop('rope_theta'),
            'partial_rotary_factor': 1.0,
        },
    }
    vision |= {'model_type': model_type, 'deepstack_visual_indexes': []}
    return config | {'model_type': model_type}
