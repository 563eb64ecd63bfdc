# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a checkpoint's folder is made from: settings, a template, a tokenizer made here.

The vocabulary has a few hundred tokens, beside the family's own special tokens.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

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
