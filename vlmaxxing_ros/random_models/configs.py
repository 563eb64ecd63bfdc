# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What stands in a config.json for each architecture that random_models can draw.

The shapes are small, the fields are the real ones; ids are those of the nano model's tokenizer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Language and vision widths; `7b` is Qwen2.5-VL-7B-Instruct's shape, `small` a model of which
# the tower has the same share (a tenth of the weights) at a size that a CPU can carry.
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
        'vision': {'depth': 4, 'hidden_size': 192, 'intermediate_size': 512, 'num_heads': 4,
                   'fullatt_block_indexes': [1, 3]},
    },
    'deep': {  # narrow and deep: many short layers, as a large model has them
        'text': {'hidden_size': 256, 'num_hidden_layers': 24, 'intermediate_size': 704,
                 'num_attention_heads': 8, 'num_key_value_heads': 2, 'sections': [4, 6, 6]},
        'vision': {'depth': 12, 'hidden_size': 128, 'intermediate_size': 352, 'num_heads': 4,
                   'fullatt_block_indexes': [2, 5, 8, 11]},
    },
    '7b': {
        'text': {'hidden_size': 3584, 'num_hidden_layers': 28, 'intermediate_size': 18944,
                 'num_attention_heads': 28, 'num_key_value_heads': 4, 'sections': [16, 24, 24],
                 'vocab_size': 152064, 'tie_word_embeddings': False},
        'vision': {'depth': 32, 'hidden_size': 1280, 'intermediate_size': 3420, 'num_heads': 16,
                   'fullatt_block_indexes': [7, 15, 23, 31]},
    },
}  # fmt: skip

_QWEN_IDS = {
    'eos_token_id': 500,
    'image_token_id': 510,
    'video_token_id': 511,
    'vision_start_token_id': 507,
    'vision_end_token_id': 508,
    'vision_token_id': 509,
}


def _head_dim(text: dict[str, Any]) -> int:
    return int(text['hidden_size'] // text['num_attention_heads'])


def _sections(text: dict[str, Any]) -> list[int]:
    """Take the M-RoPE sections out of a size, scaled to the heads' width."""
    sections = text.pop('sections')
    return [s * _head_dim(text) // (2 * sum(sections)) for s in sections]


def _qwen2(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
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


def _qwen3(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
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
            'head_dim': _head_dim(text),
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


def _qwen35(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    config = _qwen3('qwen3_vl', size, overrides)
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
            'head_dim': _head_dim(text),
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


def _gemma3(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
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
            'head_dim': _head_dim(text),
            'query_pre_attn_scalar': _head_dim(text),
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


def _gemma4(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    text, vision = SIZES[size]['text'], SIZES[size]['vision']
    heads = text['num_attention_heads']
    head_dim = text['hidden_size'] // heads
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
            'head_dim': head_dim,
            'global_head_dim': 2 * head_dim,
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


def _gemma4_unified(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    config = _gemma4('gemma4', size, overrides)
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


# Special tokens that the nano model's tokenizer lacks: name in the tokenizer, (id, text).
EXTRA_TOKENS: dict[str, dict[str, tuple[int, str]]] = {
    'gemma4': {
        'image_token': (512, '<|image|>'),
        'boi_token': (513, '<|image>'),
        'eoi_token': (514, '<image|>'),
        'video_token': (515, '<|video|>'),
    },
    'gemma3': {
        'image_token': (512, '<image_soft_token>'),
        'boi_token': (513, '<start_of_image>'),
        'eoi_token': (514, '<end_of_image>'),
    },
    'pixtral': {
        'image_token': (512, '[IMG]'),
        'image_break_token': (513, '[IMG_BREAK]'),
        'image_end_token': (514, '[IMG_END]'),
    },
    'lfm2_vl': {
        'image_token': (512, '<image>'),
        'image_start_token': (513, '<|image_start|>'),
        'image_end_token': (514, '<|image_end|>'),
        'image_thumbnail_token': (515, '<|img_thumbnail|>'),
    },
}


CONFIGS: dict[str, Callable[[str, str, dict[str, Any]], dict[str, Any]]] = {
    'qwen2_vl': _qwen2,
    'qwen2_5_vl': _qwen2,
    'qwen3_vl': _qwen3,
    'qwen3_vl_moe': _qwen3,
    'qwen3_5': _qwen35,
    'qwen3_5_moe': _qwen35,
    'lfm2_vl': _lfm2,
    'pixtral': _pixtral,
    'gemma3': _gemma3,
    'gemma4': _gemma4,
    'gemma4_unified': _gemma4_unified,
}


def random_config(model_type: str, size: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """A config.json's content: a key of `CONFIGS` at a size of `SIZES`.

    `overrides` replace fields of the text configuration.
    """
    return CONFIGS[model_type](model_type, size, overrides)
