# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Write a trained nano model as the folder that `mlx_vlm.load` takes.

Every file is needed: without the preprocessor files the pixels' mean and scale silently change,
and without the end-of-sequence ids generation never stops.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from vlmaxxing_ros.training.shape import Shape
from vlmaxxing_ros.training.tokens import IDS, SPECIAL
from vlmaxxing_ros.training.vision import MEAN, STD
from vlmaxxing_ros.training.weights import export_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

CHAT_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}'
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n"
    "{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}"
    '<|vision_start|><|image_pad|><|vision_end|>'
    "{% elif content['type'] == 'video' or 'video' in content %}"
    '<|vision_start|><|video_pad|><|vision_end|>'
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n"
    '{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}'
)
"""Qwen2.5-VL's, without its counters."""

MAX_PIXELS = 224 * 168


def model_config(shape: Shape) -> dict[str, object]:
    """config.json."""
    end, text_end = IDS['<|im_end|>'], IDS['<|endoftext|>']
    return {
        'architectures': ['Qwen2_5_VLForConditionalGeneration'],
        'model_type': 'qwen2_5_vl',
        'torch_dtype': 'float16',
        'vocab_size': shape.vocab,
        'hidden_size': shape.hidden,
        'num_hidden_layers': shape.layers,
        'num_attention_heads': shape.heads,
        'num_key_value_heads': shape.kv_heads,
        'intermediate_size': shape.ff,
        'hidden_act': 'silu',
        'rms_norm_eps': 1e-6,
        'max_position_embeddings': 4096,
        'rope_theta': shape.rope_theta,
        'rope_scaling': {'type': 'mrope', 'mrope_section': list(shape.mrope)},
        'use_sliding_window': False,
        'tie_word_embeddings': True,
        'attention_dropout': 0.0,
        'initializer_range': 0.02,
        'use_cache': True,
        'bos_token_id': text_end,
        'eos_token_id': end,
        'pad_token_id': text_end,
        'image_token_id': IDS['<|image_pad|>'],
        'video_token_id': IDS['<|video_pad|>'],
        'vision_start_token_id': IDS['<|vision_start|>'],
        'vision_end_token_id': IDS['<|vision_end|>'],
        'vision_token_id': IDS['<|vision_pad|>'],
        'vision_config': {
            'model_type': 'qwen2_5_vl',
            'depth': shape.v_layers,
            'hidden_size': shape.v_hidden,
            'intermediate_size': shape.v_ff,
            'num_heads': shape.v_heads,
            'out_hidden_size': shape.hidden,
            'in_channels': 3,
            'in_chans': 3,
            'hidden_act': 'silu',
            'patch_size': 14,
            'spatial_patch_size': 14,
            'spatial_merge_size': 2,
            'temporal_patch_size': 2,
            'window_size': 28 * shape.window,
            'fullatt_block_indexes': list(shape.full),
            'tokens_per_second': 2,
        },
    }


def _processor(**more: object) -> dict[str, object]:
    return {
        'processor_class': 'Qwen2_5_VLProcessor',
        'patch_size': 14,
        'temporal_patch_size': 2,
        'merge_size': 2,
        'do_rescale': True,
        'rescale_factor': 1 / 255,
        'do_normalize': True,
        'do_resize': True,
        'do_convert_rgb': True,
        'image_mean': list(MEAN),
        'image_std': list(STD),
        **more,
    }


def write_folder(
    folder: Path, weights: dict[str, Tensor], tokenizer: Tokenizer, shape: Shape | None = None
) -> None:
    """The eight files. `weights` are the torch twin's, by name."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / 'model.safetensors'
    save_file(export_weights(weights), path, metadata={'format': 'pt'})
    path.chmod(0o644)
    tokenizer.save(str(folder / 'tokenizer.json'), pretty=False)
    (folder / 'chat_template.jinja').write_text(CHAT_TEMPLATE + '\n')
    end, text_end = IDS['<|im_end|>'], IDS['<|endoftext|>']
    files: dict[str, object] = {
        'config.json': model_config(shape or Shape()),
        'generation_config.json': {
            'do_sample': False,
            'temperature': 0.0,
            'eos_token_id': [end, text_end],
            'pad_token_id': text_end,
            'bos_token_id': text_end,
        },
        'preprocessor_config.json': _processor(
            image_processor_type='Qwen2VLImageProcessor', min_pixels=56 * 56, max_pixels=MAX_PIXELS
        ),
        'video_preprocessor_config.json': _processor(
            video_processor_type='Qwen2VLVideoProcessor',
            min_pixels=2 * 56 * 56,
            max_pixels=16 * 112 * 112,
            fps=4.0,
            min_frames=2,
            max_frames=16,
        ),
        'tokenizer_config.json': {
            'tokenizer_class': 'PreTrainedTokenizerFast',
            'bos_token': None,
            'unk_token': None,
            'eos_token': '<|im_end|>',
            'pad_token': '<|endoftext|>',
            'add_prefix_space': False,
            'additional_special_tokens': list(SPECIAL[1:]),
            'model_max_length': 4096,
            'clean_up_tokenization_spaces': False,
            'errors': 'replace',
            'split_special_tokens': False,
            'chat_template': CHAT_TEMPLATE,
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2) + '\n')
