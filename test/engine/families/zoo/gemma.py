# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Gemma: spaces made visible, line ends in a row one token, two beginnings of sequence."""

from __future__ import annotations

from engine.families.zoo.checkpoint import Checkpoint, sentence_piece, text_shape

from vlmaxxing_ros.random_models.configs import random_config


def gemma(model_type: str, around: str) -> Checkpoint:
    """Gemma writes a beginning of sequence, and so does its tokenizer; questions are trimmed."""
    begin, end = ('<start_of_turn>', '<end_of_turn>') if around else ('<|turn>', '<turn|>')
    image, opens, closes = (
        ('<image_soft_token>', '<start_of_image>', '<end_of_image>')
        if model_type == 'gemma3'
        else ('<|image|>', '<|image>', '<image|>')
    )
    names = {
        'bos_token': '<bos>',
        'eos_token': '<eos>',
        'pad_token': '<pad>',
        'begin': begin,
        'end': end,
        'image_token': image,
        'boi_token': opens,
        'eoi_token': closes,
        'video_token': '<|video|>',
        'audio_token': '<|audio|>',
    }
    tokenizer = sentence_piece(names, bos=True)
    ids = tokenizer.convert_tokens_to_ids
    config = random_config(model_type, 'tiny', {'vocab_size': len(tokenizer)})
    config |= {
        'eos_token_id': [ids('<eos>'), ids(end)],
        'image_token_index': ids(image),
        'image_token_id': ids(image),
        'boi_token_id': ids(opens),
        'eoi_token_id': ids(closes),
        'audio_token_id': ids('<|audio|>'),
        'pad_token_id': ids('<pad>'),
    }
    shown = opens if model_type == 'gemma3' else f'{around}{image}{around}'
    template = (
        '{{ bos_token }}{%- for message in messages -%}'
        f"{{{{ '{begin}' + message['role'] + '\\n' }}}}"
        "{%- if message['content'] is string -%}{{ message['content'] | trim }}{%- else -%}"
        "{%- for part in message['content'] -%}{%- if part['type'] == 'image' -%}"
        f"{{{{ '{shown}' }}}}"
        "{%- else -%}{{ part['text'] | trim }}{%- endif -%}{%- endfor -%}{%- endif -%}"
        f"{{{{ '{end}\\n' }}}}{{%- endfor -%}}"
        f"{{%- if add_generation_prompt -%}}{{{{ '{begin}model\\n' }}}}{{%- endif -%}}"
    )
    if model_type == 'gemma3':
        side = config['vision_config']['image_size']
        images = {'image_processor_type': 'Gemma3ImageProcessor', 'do_normalize': True,
                  'image_mean': [0.5, 0.5, 0.5], 'image_std': [0.5, 0.5, 0.5],
                  'size': {'height': side, 'width': side}}  # fmt: skip
        files = {
            'preprocessor_config.json': images,
            'processor_config.json': {'image_seq_length': 16},
        }
        return Checkpoint(config, tokenizer, template, files)
    combined = {'image_processor': {'patch_size': 16, 'pooling_kernel_size': 3,
                                    'max_soft_tokens': 20, 'do_normalize': False}}  # fmt: skip
    config['text_config']['vocab_size_per_layer_input'] = len(tokenizer)
    return Checkpoint(config, tokenizer, template, {'processor_config.json': combined})


def gemma3n() -> Checkpoint:
    """Gemma 3n: what closes an image, and the image itself, have ids behind the vocabulary."""
    names = {
        'bos_token': '<bos>',
        'eos_token': '<eos>',
        'pad_token': '<pad>',
        'begin': '<start_of_turn>',
        'end': '<end_of_turn>',
        'boi_token': '<start_of_image>',
        'boa_token': '<start_of_audio>',
        'eoi_token': '<end_of_image>',
        'image_token': '<image_soft_token>',
        'eoa_token': '<end_of_audio>',
        'audio_token': '<audio_soft_token>',
    }
    tokenizer = sentence_piece(names, bos=True)
    ids = tokenizer.convert_tokens_to_ids
    shape, words = text_shape(), ids('<end_of_image>')
    layers = 6
    config = {
        'model_type': 'gemma3n',
        'eos_token_id': [ids('<eos>'), ids('<end_of_turn>')],
        'image_token_id': ids('<image_soft_token>'),
        'image_token_index': ids('<image_soft_token>'),  # mlx-vlm's own, 262145 by default
        'audio_token_id': ids('<audio_soft_token>'),
        'vision_soft_tokens_per_image': 256,
        'text_config': {
            **shape, 'model_type': 'gemma3n_text', 'num_hidden_layers': layers,
            'intermediate_size': layers * [shape['intermediate_size']], 'head_dim': 16,
            'vocab_size': len(tokenizer), 'vocab_size_per_layer_input': words,
            'hidden_size_per_layer_input': 16, 'laurel_rank': 8, 'num_kv_shared_layers': 2,
            'layer_types': layers // 2 * ['sliding_attention', 'full_attention'],
            'activation_sparsity_pattern': [0.95] + (layers - 1) * [0.0],
            'sliding_window': 512, 'altup_coef_clip': 120.0,
        },
        # The tower has one size; the tests make its stages short and narrow.
        'vision_config': {'model_type': 'gemma3n_vision', 'hidden_size': 2048,
                          'vocab_size': 2, 'vocab_offset': words},
        'audio_config': {'input_feat_size': 8, 'hidden_size': 16, 'conf_num_attention_heads': 2,
                         'conf_num_hidden_layers': 1, 'sscp_conv_channel_size': [4, 4],
                         'vocab_size': 2, 'vocab_offset': words + 2},
    }  # fmt: skip
    template = (
        "{{ bos_token }}{%- for message in messages -%}{{ '<start_of_turn>' + message['role'] +"
        " '\n' }}{%- for part in message['content'] -%}{%- if part['type'] == 'image' -%}"
        "{{ '<image_soft_token>' }}{%- else -%}{{ part['text'] | trim }}{%- endif -%}"
        "{%- endfor -%}{{ '<end_of_turn>\n' }}{%- endfor -%}"
        "{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}"
    )
    images = {'image_processor_type': 'SiglipImageProcessorFast', 'do_normalize': False,
              'image_mean': [0.5, 0.5, 0.5], 'image_std': [0.5, 0.5, 0.5],
              'size': {'height': 256, 'width': 256},
              'feature_extractor_type': 'Gemma3nAudioFeatureExtractor'}  # fmt: skip
    return Checkpoint(config, tokenizer, template, {'preprocessor_config.json': images})
