# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A model zoo: one small folder per checkpoint family, as the published ones are laid out.

Everything is written from scratch: a vocabulary of a few hundred tokens with the family's own
special tokens, a chat template of the same structure in our own words, the processor's real
settings with small sizes, random weights.  They are loaded as any folder is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_vlm.models.fastvlm.config import VisionConfig as FastVitHd
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from vlmaxxing_ros.random_models.configs import random_config
from vlmaxxing_ros.random_models.families import build

CORPUS = [
    'User: where is the red block? Assistant: left\n\nuser\nmodel\n',
    'what do you see?\nOptions: left, top right\n\n\n\nassistant\n',
    'a red block, a green block and a gripper; QUESTIONMARKER {"a": 1}\n\n\n',
]
_SPLIT = (
    r"""'s|'t|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
)


@dataclass(frozen=True)
class Checkpoint:
    """What a folder is made from.

    Attributes:
        config: config.json.
        tokenizer: with its special tokens.
        template: chat_template.jinja.
        files: further JSON files.
        images_first: mlx-vlm's own messages show images before the question, as ours do.
        adds_bos: the tokenizer puts a beginning of sequence before any text.
    """

    config: dict[str, Any]
    tokenizer: PreTrainedTokenizerFast
    template: str
    files: dict[str, Any] = field(default_factory=dict)


def byte_level(names: dict[str, str], *plain: str, bos: bool = False) -> PreTrainedTokenizerFast:
    """A byte-level BPE, as Qwen, Llama 3, Tekken and SmolLM have it.

    Args:
        names: special tokens by the name that the processor knows them under.
        plain: added tokens that are not special, such as `</think>`.
        bos: the tokenizer itself puts `bos_token` before any text.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), 'isolated'),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return _finish(tokenizer, alphabet, names, plain, bos=bos)


def sentence_piece(names: dict[str, str], *, bos: bool) -> PreTrainedTokenizerFast:
    """A BPE over text with visible spaces, as Gemma has it: line ends in a row are one token."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(' ', '▁')
    tokenizer.pre_tokenizer = pre_tokenizers.Split(' ', 'merged_with_previous')
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace('▁', ' '), decoders.ByteFallback(), decoders.Fuse()]
    )
    runs = [AddedToken(n * space, normalized=False) for n in (1, 2, 3, 4) for space in '\n▁']
    return _finish(tokenizer, [], names, runs, bos=bos)


def _finish(
    tokenizer: Tokenizer, alphabet: list[str], names: dict[str, str], plain: Any, *, bos: bool
) -> PreTrainedTokenizerFast:
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    spec = json.loads(tokenizer.to_str())
    if spec['model']['byte_fallback']:
        for byte in range(256):
            spec['model']['vocab'][f'<0x{byte:02X}>'] = len(spec['model']['vocab'])
        tokenizer = Tokenizer.from_str(json.dumps(spec))
    tokenizer.add_tokens(list(plain))
    tokenizer.add_special_tokens(list(names.values()))
    if bos:
        begin = names['bos_token']
        tokenizer.post_processor = TemplateProcessing(
            single=f'{begin} $A', special_tokens=[(begin, tokenizer.token_to_id(begin))]
        )
    known = {k: names[k] for k in ('bos_token', 'eos_token', 'pad_token') if k in names}
    extra = {k: v for k, v in names.items() if k not in known}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, extra_special_tokens=extra, **known)


def text_shape() -> dict[str, int]:
    """The shape of a small language model."""
    shapes = random_config('qwen2_5_vl', 'tiny', {})
    names = ('hidden_size', 'num_hidden_layers', 'intermediate_size', 'num_attention_heads')
    return {name: shapes[name] for name in (*names, 'num_key_value_heads')}


def _qwen3_5() -> Checkpoint:
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
    template = (
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
    images = {'patch_size': 16, 'merge_size': 2, 'temporal_patch_size': 2,
              'size': {'shortest_edge': 1024, 'longest_edge': 1 << 24},
              'image_mean': [0.5, 0.5, 0.5], 'image_std': [0.5, 0.5, 0.5]}  # fmt: skip
    return Checkpoint(config, tokenizer, template, {'preprocessor_config.json': images})


def _gemma(model_type: str, around: str) -> Checkpoint:
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


def _gemma3n() -> Checkpoint:
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


def _pixtral(model_type: str = 'pixtral') -> Checkpoint:
    """Tekken: a beginning of sequence from the template and from the tokenizer.

    Mistral 3 is the same with four patches to a row.
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
    }
    tokenizer = byte_level(names, bos=True)
    ids = tokenizer.convert_tokens_to_ids
    config = random_config('pixtral', 'tiny', {'vocab_size': len(tokenizer)})
    config |= {'eos_token_id': ids('</s>'), 'image_token_index': ids('[IMG]')}
    if model_type == 'mistral3':
        config |= {'model_type': 'mistral3', 'spatial_merge_size': 2}
        config['text_config'] |= {'rms_norm_eps': 1e-5, 'rope_theta': 1e6}
    template = (
        "{{- bos_token }}{%- for message in messages %}{{- '[INST]' }}"
        "{%- for part in message['content'] %}{%- if part['type'] == 'image' %}{{- '[IMG]' }}"
        "{%- else %}{{- part['text'] }}{%- endif %}{%- endfor %}{{- '[/INST]' }}{%- endfor %}"
    )
    images = {'image_processor_type': 'PixtralImageProcessor', 'patch_size': 16,
              'size': {'longest_edge': 256}, 'image_mean': [0.48, 0.46, 0.41],
              'image_std': [0.27, 0.26, 0.28]}  # fmt: skip
    return Checkpoint(config, tokenizer, template, {'preprocessor_config.json': images})


def _smolvlm(model_type: str = 'smolvlm') -> Checkpoint:
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


def _internvl() -> Checkpoint:
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


def _fastvlm() -> Checkpoint:
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


def _lfm2() -> Checkpoint:
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


ZOO: dict[str, Callable[[], Checkpoint]] = {
    'qwen3_5': _qwen3_5,
    'gemma3': lambda: _gemma('gemma3', '\\n\\n'),
    'gemma4': lambda: _gemma('gemma4', ''),
    'gemma4, older template': lambda: _gemma('gemma4', '\\n\\n'),
    'pixtral': _pixtral,
    'mistral3': lambda: _pixtral('mistral3'),
    'smolvlm': _smolvlm,
    'idefics3': lambda: _smolvlm('idefics3'),
    'internvl': _internvl,
    'fastvlm': _fastvlm,
    'lfm2': _lfm2,
}

REFUSED: dict[str, Callable[[], Checkpoint]] = {'gemma3n': _gemma3n}


def write(name: str, folder: Path, **text: Any) -> Checkpoint:
    """Write one checkpoint's folder; `text` replaces fields of its text configuration."""
    checkpoint = (ZOO | REFUSED)[name]()
    if text:
        checkpoint.config['text_config'].update(text)
    config = json.loads(json.dumps(checkpoint.config))
    mx.random.seed(0)
    built = json.loads(json.dumps(config))
    built.setdefault('text_config', built.pop('llm_config', {}))
    weights = dict(tree_flatten(build(built).parameters()))
    mx.save_safetensors(str(folder / 'model.safetensors'), weights, metadata={'format': 'mlx'})
    checkpoint.tokenizer.save_pretrained(str(folder))
    (folder / 'chat_template.jinja').write_text(checkpoint.template)
    for file, content in {'config.json': config, **checkpoint.files}.items():
        (folder / file).write_text(json.dumps(content))
    return checkpoint
