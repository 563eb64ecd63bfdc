# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Checkpoints whose processors cut a picture into tiles."""

from __future__ import annotations

from engine.families.zoo.checkpoint import Checkpoint, byte_level, text_shape

from vlmaxxing_ros.random_models.configs import random_config


def smolvlm(model_type: str = 'smolvlm') -> Checkpoint:
    """SmolVLM and Idefics 3: tiles, and an answer behind `Assistant:` without a space."""
    names = {
        'bos_token': '<|im_start|>',
        'eos_token': '<end_of_utterance>',
        'pad_token': '<|im_end|>',
        'image_token': '<image>',
        'fake_image_token': '<fake_token_around_image>',
        'global_image_token': '<global-img>',
        **{f'tile_{r}_{c}': f'<row_{r}_col_{c}>' for r in range(1, 5) for c in range(1, 5)},
    }
    tokenizer = byte_level(names)
    ids = tokenizer.convert_tokens_to_ids
    config = {
        'model_type': model_type,
        'eos_token_id': ids('<end_of_utterance>'),
        'image_token_id': ids('<image>'),
        'image_token_index': ids('<image>'),
        'scale_factor': 2,
        'vocab_size': len(tokenizer),
        'text_config': {'model_type': 'llama', 'vocab_size': len(tokenizer), 'rms_norm_eps': 1e-5,
                        'rope_theta': 10000.0, 'head_dim': 16, **text_shape()},
        'vision_config': {'model_type': f'{model_type}_vision', 'hidden_size': 48,
                          'intermediate_size': 64, 'num_attention_heads': 2,
                          'num_hidden_layers': 2, 'patch_size': 16, 'image_size': 64},
    }  # fmt: skip
    template = (
        "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
        "{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
        "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
        "{% else %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
        "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
    )
    processor = {'smolvlm': 'SmolVLMImageProcessor', 'idefics3': 'Idefics3ImageProcessor'}
    images = {'image_processor_type': processor[model_type], 'do_image_splitting': True,
              'do_resize': True, 'do_pad': True, 'size': {'longest_edge': 256},
              'max_image_size': {'longest_edge': 64}, 'image_mean': [0.5, 0.5, 0.5],
              'image_std': [0.5, 0.5, 0.5]}  # fmt: skip
    files = {'preprocessor_config.json': images, 'processor_config.json': {'image_seq_len': 4}}
    return Checkpoint(config, tokenizer, template, files)


def lfm2() -> Checkpoint:
    """LFM2-VL: a beginning of sequence, tiles, recurrent layers."""
    names = {
        'bos_token': '<|startoftext|>',
        'eos_token': '<|im_end|>',
        'pad_token': '<|pad|>',
        'start': '<|im_start|>',
        'image_token': '<image>',
        'image_start_token': '<|image_start|>',
        'image_end_token': '<|image_end|>',
        'image_thumbnail_token': '<|img_thumbnail|>',
        **{f'tile_{r}_{c}': f'<|img_row_{r}_col_{c}|>' for r in (1, 2, 3) for c in (1, 2, 3)},
    }
    tokenizer = byte_level(names, bos=True)
    ids = tokenizer.convert_tokens_to_ids
    config = random_config('lfm2_vl', 'tiny', {'vocab_size': len(tokenizer)})
    config |= {'eos_token_id': ids('<|im_end|>'), 'image_token_id': ids('<image>')}
    template = (
        "{{- bos_token -}}{%- for message in messages -%}{{- '<|im_start|>' + message['role'] +"
        " '\\n' -}}{%- for part in message['content'] -%}{%- if part['type'] == 'image' -%}"
        "{{- '<image>' -}}{%- else -%}{{- part['text'] -}}{%- endif -%}{%- endfor -%}"
        "{{- '<|im_end|>\\n' -}}{%- endfor -%}"
        "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
    )
    images = {'image_processor_type': 'Lfm2VlImageProcessorFast', 'do_image_splitting': True,
              'min_image_tokens': 4, 'max_image_tokens': 64, 'use_thumbnail': True,
              'min_tiles': 2, 'max_tiles': 9, 'tile_size': 128, 'encoder_patch_size': 16,
              'downsample_factor': 2, 'max_num_patches': 256,
              'image_mean': [0.5, 0.5, 0.5], 'image_std': [0.5, 0.5, 0.5]}  # fmt: skip
    return Checkpoint(config, tokenizer, template, {'preprocessor_config.json': images})
