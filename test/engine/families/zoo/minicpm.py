# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""MiniCPM-V and MiniCPM-o: pictures in slices, with numbers, unless told not to."""

from __future__ import annotations

from typing import Any

from engine.families.zoo.checkpoint import Checkpoint, byte_level, text_shape
from engine.families.zoo.qwen import TEMPLATE

from vlmaxxing_ros.random_models.configs import random_config

_NAMES = {
    'eos_token': '<|im_end|>',
    'pad_token': '<|endoftext|>',
    'unk_token': '<unk>',
    'start': '<|im_start|>',
    'im_start': '<image>',
    'im_end': '</image>',
    'slice_start': '<slice>',
    'slice_end': '</slice>',
    'im_id_start': '<image_id>',
    'im_id_end': '</image_id>',
    'image_token': '<|image_pad|>',
    'video_token': '<|video_pad|>',
}
_PIXELS = {
    'patch_size': 14,
    'scale_resolution': 112,
    'max_slice_nums': 9,
    'slice_mode': True,
    'use_image_id': True,
    'norm_mean': [0.5, 0.5, 0.5],
    'norm_std': [0.5, 0.5, 0.5],
}


def _tower(model_type: str) -> dict[str, Any]:
    return {'model_type': model_type, 'hidden_size': 48, 'intermediate_size': 64,
            'num_attention_heads': 2, 'num_hidden_layers': 3, 'patch_size': 14,
            'image_size': 112}  # fmt: skip


def minicpmv(model_type: str = 'minicpmv4_6') -> Checkpoint:
    """Qwen3.5 with another eye; the processor drops the empty block for thoughts again."""
    tokenizer = byte_level(_NAMES, '<think>', '</think>')
    ids = tokenizer.convert_tokens_to_ids
    text = random_config('qwen3_5', 'tiny', {'vocab_size': len(tokenizer)})['text_config']
    config = {
        'model_type': model_type,
        'eos_token_id': ids('<|im_end|>'),
        'image_token_id': ids('<|image_pad|>'),
        'video_token_id': ids('<|video_pad|>'),
        'insert_layer_id': 1,
        'text_config': text,
        'vision_config': _tower(f'{model_type}_vision'),
    }
    if model_type == 'minicpmv4_7':
        config |= {
            'image_start_id': ids('<image>'),
            'image_end_id': ids('</image>'),
            'slice_start_id': ids('<slice>'),
            'slice_end_id': ids('</slice>'),
            'newline_id': ids('Ċ'),
        }
    template = TEMPLATE
    if model_type == 'minicpmv4_7':  # the processor puts what stands around an image
        template = template.replace('<|vision_start|>', '').replace('<|vision_end|>', '')
    return Checkpoint(config, tokenizer, template, {'preprocessor_config.json': _PIXELS})


def minicpmo() -> Checkpoint:
    """Speech left out; the language model's settings stand at the root, rows of images are unknown.

    A folder whose settings name code of its own (`auto_map`) is refused.
    """
    tokenizer = byte_level(_NAMES | {'listen': '<|listen|>'})
    config = {
        'model_type': 'minicpmo',
        'eos_token_id': [tokenizer.convert_tokens_to_ids('<|im_end|>')],
        'vocab_size': len(tokenizer),
        'rms_norm_eps': 1e-6,
        'rope_theta': 10000.0,
        'head_dim': 16,
        'max_position_embeddings': 32768,
        'rope_scaling': {'type': 'default', 'mrope_section': [4, 2, 2]},
        'query_num': 4,
        'init_audio': False,
        'init_tts': False,
        'vision_config': _tower('siglip_vision_model'),
        **text_shape(),
    }
    template = (
        "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content"
        " + '<|im_end|>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    )
    images = {**_PIXELS, 'image_feature_size': 4}
    return Checkpoint(config, tokenizer, template, {'preprocessor_config.json': images})
