# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Mistral's vision models: Tekken's form, two beginnings of sequence, row breaks."""

from __future__ import annotations

from engine.families.zoo.checkpoint import Checkpoint, byte_level

from vlmaxxing_ros.random_models.configs import random_config


def pixtral(model_type: str = 'pixtral', system: str = '') -> Checkpoint:
    """Tekken: a beginning of sequence from the template and from the tokenizer.

    Mistral 3 is the same with four patches to a row.  `system` is what it is told by default.
    """
    names = {
        'bos_token': '<s>',
        'eos_token': '</s>',
        'pad_token': '<pad>',
        'ask': '[INST]',
        'answer': '[/INST]',
        'image_token': '[IMG]',
        'break': '[IMG_BREAK]',
        'end': '[IMG_END]',
        'told': '[SYSTEM_PROMPT]',
        'tells': '[/SYSTEM_PROMPT]',
        'think': '[THINK]',
        'thought': '[/THINK]',
    }
    tokenizer = byte_level(names, bos=True)
    ids = tokenizer.convert_tokens_to_ids
    config = random_config('pixtral', 'tiny', {'vocab_size': len(tokenizer)})
    config |= {'eos_token_id': ids('</s>'), 'image_token_index': ids('[IMG]')}
    if model_type == 'mistral3':
        config |= {'model_type': 'mistral3', 'spatial_merge_size': 2}
        config['text_config'] |= {'rms_norm_eps': 1e-5, 'rope_theta': 1e6}
    template = (
        f"{{{{- bos_token + '{system}' }}}}"
        "{%- for message in messages %}{{- '[INST]' }}"
        "{%- for part in message['content'] %}{%- if part['type'] == 'image' %}{{- '[IMG]' }}"
        "{%- else %}{{- part['text'] }}{%- endif %}{%- endfor %}{{- '[/INST]' }}{%- endfor %}"
    )
    images = {'image_processor_type': 'PixtralImageProcessor', 'patch_size': 16,
              'size': {'longest_edge': 256}, 'image_mean': [0.48, 0.46, 0.41],
              'image_std': [0.27, 0.26, 0.28]}  # fmt: skip
    return Checkpoint(config, tokenizer, template, {'preprocessor_config.json': images})


def magistral() -> Checkpoint:
    """Mistral 3 that thinks because it is told to, and begins its thoughts by itself."""
    system = (
        '[SYSTEM_PROMPT]first think, as here:[THINK]a draft[/THINK]then answer.[/SYSTEM_PROMPT]'
    )
    return pixtral('mistral3', system)
