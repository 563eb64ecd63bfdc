# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Checkpoints whose messages are not lists of parts as most are."""

from __future__ import annotations

from engine.families.zoo.checkpoint import Checkpoint, byte_level, text_shape
from mlx_vlm.models.fastvlm.config import VisionConfig as FastVitHd


def internvl() -> Checkpoint:
    """InternVL in mlx-vlm's own form: the template reads a text part's `content`."""
    names = {
        'eos_token': '<|im_end|>',
        'pad_token': '<|endoftext|>',
        'start': '<|im_start|>',
        'img_start': '<img>',
        'img_end': '</img>',
        'context': '<IMG_CONTEXT>',
    }
    tokenizer = byte_level(names)
    ids = tokenizer.convert_tokens_to_ids
    config = {
        'model_type': 'internvl_chat',
        'eos_token_id': ids('<|im_end|>'),
        'image_token_index': ids('<IMG_CONTEXT>'),
        'downsample_ratio': 0.5,
        'force_image_size': 56,
        'max_dynamic_patch': 6,
        'use_thumbnail': True,
        'llm_config': {'model_type': 'qwen2', 'vocab_size': len(tokenizer), 'rms_norm_eps': 1e-6,
                       'rope_theta': 10000.0, **text_shape()},
        'vision_config': {'model_type': 'intern_vit_6b', 'hidden_size': 48,
                          'intermediate_size': 64, 'num_attention_heads': 2,
                          'num_hidden_layers': 2, 'patch_size': 14, 'image_size': 56},
    }  # fmt: skip
    template = (
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
        "{% for part in message['content'] | selectattr('type', 'equalto', 'image') %}"
        "{{ '<image>\\n' }}{% endfor %}"
        "{% for part in message['content'] | selectattr('type', 'equalto', 'text') %}"
        "{{ part['content'] }}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    )
    images = {'image_mean': [0.485, 0.456, 0.406], 'image_std': [0.229, 0.224, 0.225],
              'size': 56}  # fmt: skip
    return Checkpoint(config, tokenizer, template, {'preprocessor_config.json': images})


def fastvlm() -> Checkpoint:
    """FastVLM: string content, `<image>` is no token, the image's id is -200."""
    names = {'eos_token': '<|im_end|>', 'pad_token': '<|endoftext|>', 'start': '<|im_start|>'}
    tokenizer = byte_level(names)
    config = {
        'model_type': 'llava_qwen2',
        'eos_token_id': tokenizer.convert_tokens_to_ids('<|im_end|>'),
        'image_token_index': -200,
        'mm_hidden_size': 2 * FastVitHd.embed_dims[-1],
        'vocab_size': len(tokenizer),
        'rms_norm_eps': 1e-6,
        'rope_theta': 10000.0,
        'auto_map': {'AutoConfig': 'llava_qwen.LlavaConfig'},  # as published; never run
        **text_shape(),
    }
    template = (
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n'"
        " + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    )
    images = {'size': {'shortest_edge': 256}, 'crop_size': {'height': 256, 'width': 256},
              'image_mean': [0.0, 0.0, 0.0], 'image_std': [1.0, 1.0, 1.0]}  # fmt: skip
    return Checkpoint(config, tokenizer, template, {'preprocessor_config.json': images})
