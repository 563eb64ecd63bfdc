# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What stands in a config.json of the Gemma families."""

from __future__ import annotations

from typing import Any

from vlmaxxing_ros.random_models.sizes import EXTRA_TOKENS, SIZES, head_dim


def gemma3(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Gemma 3."""
    text, vision = SIZES[size]['text'], SIZES[size]['vision']
    return {
        'model_type': 'gemma3',
        'eos_token_id': 500,
        'image_token_index': EXTRA_TOKENS['gemma3']['image_token'][0],
        'hidden_size': text['hidden_size'],
        'text_config': {
            'model_type': 'gemma3_text',
            'vocab_size': 520,
            'hidden_size': text['hidden_size'],
            'intermediate_size': text['intermediate_size'],
            'num_hidden_layers': 4,
            'num_attention_heads': text['num_attention_heads'],
            'num_key_value_heads': text['num_key_value_heads'],
            'head_dim': head_dim(text),
            'query_pre_attn_scalar': head_dim(text),
            'sliding_window': 40,
            'sliding_window_pattern': 2,
            'mm_tokens_per_image': 16,
            **overrides,
        },
        'vision_config': {
            'model_type': 'siglip_vision_model',
            'num_hidden_layers': vision['depth'],
            'hidden_size': vision['hidden_size'],
            'intermediate_size': vision['intermediate_size'],
            'num_attention_heads': vision['num_heads'],
            'patch_size': 14,
            'image_size': 112,
        },
    }


def gemma4(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Gemma 4."""
    text, vision = SIZES[size]['text'], SIZES[size]['vision']
    heads = text['num_attention_heads']
    tokens = EXTRA_TOKENS['gemma4']
    return {
        'model_type': 'gemma4',
        'eos_token_id': 500,
        'image_token_id': tokens['image_token'][0],
        'boi_token_id': tokens['boi_token'][0],
        'eoi_token_id': tokens['eoi_token'][0],
        'audio_token_id': 519,
        'text_config': {
            'model_type': 'gemma4_text',
            'vocab_size': 520,
            'vocab_size_per_layer_input': 520,
            'hidden_size': text['hidden_size'],
            'intermediate_size': text['intermediate_size'],
            'num_hidden_layers': 6,
            'num_kv_shared_layers': 2,
            'num_attention_heads': heads,
            'num_key_value_heads': text['num_key_value_heads'],
            'head_dim': head_dim(text),
            'global_head_dim': 2 * head_dim(text),
            'hidden_size_per_layer_input': 16,
            'sliding_window': 512,
            'layer_types': 3 * ['sliding_attention', 'full_attention'],
            'use_bidirectional_attention': 'vision',
            **overrides,
        },
        'vision_config': {
            'model_type': 'gemma4_vision',
            'hidden_size': vision['hidden_size'],
            'intermediate_size': vision['intermediate_size'],
            'num_hidden_layers': vision['depth'],
            'num_attention_heads': vision['num_heads'],
            'num_key_value_heads': vision['num_heads'],
            'head_dim': vision['hidden_size'] // vision['num_heads'],
            'patch_size': 16,
            'pooling_kernel_size': 3,
            'position_embedding_size': 64,
        },
    }


def gemma4_unified(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Gemma 4 without a vision tower."""
    config = gemma4('gemma4', size, overrides)
    config['text_config'] = {
        **config['text_config'],
        'model_type': 'gemma4_unified_text',
        'num_kv_shared_layers': 0,
        'hidden_size_per_layer_input': 0,
        'num_global_key_value_heads': 1,
        'attention_k_eq_v': True,
        **overrides,
    }
    width = config['vision_config']['hidden_size']
    config['vision_config'] = {
        'model_type': 'gemma4_unified_vision',
        'patch_size': 16,
        'pooling_kernel_size': 3,
        'model_patch_size': 48,
        'mm_embed_dim': width,
        'output_proj_dims': width,
        'mm_posemb_size': 64,
    }
    return config | {'model_type': 'gemma4_unified', 'video_token_id': 515}
