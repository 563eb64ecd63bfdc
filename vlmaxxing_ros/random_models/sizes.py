# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Sizes at which architectures can be drawn, and the special tokens that some of them add.

Ids are those behind the nano model's tokenizer.  Knows no architecture.
"""

from __future__ import annotations

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


def head_dim(text: dict[str, Any]) -> int:
    """Width of a head of a language model of this size."""
    return int(text['hidden_size'] // text['num_attention_heads'])
