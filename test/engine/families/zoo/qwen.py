# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Qwen3.5: thoughts that a template opens unless it is told not to."""

from __future__ import annotations

from engine.families.zoo.checkpoint import Checkpoint, byte_level

from vlmaxxing_ros.random_models.configs import random_config

TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' }}"
    '{%- if message.content is string %}{{- message.content | trim }}{%- else %}'
    '{%- set ns = namespace(text="") %}'
    "{%- for part in message.content %}{%- if part.type == 'image' %}"
    "{%- set ns.text = ns.text + '<|vision_start|><|image_pad|><|vision_end|>' %}"
    '{%- else %}{%- set ns.text = ns.text + part.text %}{%- endif %}{%- endfor %}'
    '{{- ns.text | trim }}{%- endif %}'
    "{{- '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    '{%- if enable_thinking is defined and enable_thinking is false %}'
    "{{- '<think>\\n\\n</think>\\n\\n' }}{%- else %}{{- '<think>\\n' }}{%- endif %}{%- endif %}"
)


def qwen3_5() -> Checkpoint:
    """Qwen3.5 thinks unless told not to; `</think>` is no special token."""
    names = {
        'eos_token': '<|im_end|>',
        'pad_token': '<|endoftext|>',
        'start': '<|im_start|>',
        'vision_start': '<|vision_start|>',
        'vision_end': '<|vision_end|>',
        'image_token': '<|image_pad|>',
        'video_token': '<|video_pad|>',
    }
    tokenizer = byte_level(names, '<think>', '</think>')
    ids = tokenizer.convert_tokens_to_ids
    config = random_config('qwen3_5', 'tiny', {'vocab_size': len(tokenizer)})
    config |= {
        'eos_token_id': ids('<|im_end|>'),
        'image_token_id': ids('<|image_pad|>'),
        'video_token_id': ids('<|video_pad|>'),
        'vision_start_token_id': ids('<|vision_start|>'),
        'vision_end_token_id': ids('<|vision_end|>'),
    }
    images = {'patch_size': 16, 'merge_size': 2, 'temporal_patch_size': 2,
              'size': {'shortest_edge': 1024, 'longest_edge': 1 << 24},
              'image_mean': [0.5, 0.5, 0.5], 'image_std': [0.5, 0.5, 0.5]}  # fmt: skip
    return Checkpoint(config, tokenizer, TEMPLATE, {'preprocessor_config.json': images})
