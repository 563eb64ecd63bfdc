# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The nano model's words: a 512-entry byte-level BPE with Qwen's special tokens, and the prompt.

Trained on the question set alone, so it is the same whenever the questions are.
"""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from vlmaxxing_ros.demo.tabletop_questions import ANSWERS, CELLS, PHRASES
from vlmaxxing_ros.demo.tabletop_state import COLORS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCAB_SIZE = 512
SPECIAL = (
    '<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|object_ref_start|>', '<|object_ref_end|>',
    '<|box_start|>', '<|box_end|>', '<|quad_start|>', '<|quad_end|>', '<|vision_start|>',
    '<|vision_end|>', '<|vision_pad|>', '<|image_pad|>', '<|video_pad|>',
)  # fmt: skip
IDS = {name: VOCAB_SIZE - len(SPECIAL) + i for i, name in enumerate(SPECIAL)}

OPENING = '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n'
CLOSING = '<|im_end|>\n<|im_start|>assistant\n'
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r'|\s*[\r\n]+|\s+(?!\S)|\s+'
)


def corpus() -> list[str]:
    """Every wording with every subject and answer, each repeated as its weight asks for."""
    lines = [OPENING.replace('<|im_start|>', '').replace('<|im_end|>', ''), 'assistant\n'] * 20
    for family, phrases in PHRASES.items():
        subjects = CELLS if family == 'at' else tuple(COLORS)
        answers = ANSWERS.get(family, tuple(COLORS))
        for phrase, subject, answer in itertools.product(phrases, subjects, answers):
            lines.append(phrase.format(subject))
            lines.append(answer)
            lines.append(f'{phrase.format(subject)}\nOptions: {", ".join(answers)}')
    words = ('left', 'right', 'up', 'down', 'still', 'appeared', 'disappeared', *CELLS)
    for color, word in itertools.product(COLORS, words):
        lines += [f'{color} {word}', f' {color} {word}', f'{word} open', f'{word} closed']
    lines += 3 * [
        'The robot is in front of the table with the camera. Can you tell me what this is?'
    ]
    return lines


def train_tokenizer() -> Tokenizer:
    """The tokenizer, from nothing; deterministic."""
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

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), 'isolated'),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE - len(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    missing = VOCAB_SIZE - len(SPECIAL) - tokenizer.get_vocab_size()
    if missing:
        raise RuntimeError(f'the corpus is {missing} merges too small for {VOCAB_SIZE} ids')
    tokenizer.add_special_tokens(
        [AddedToken(name, special=True, normalized=False) for name in SPECIAL]
    )
    return tokenizer


class Words:
    """Text to ids, remembered, as the trainer needs the same few strings a million times."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.encode = functools.lru_cache(maxsize=200_000)(self._encode)

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        """Ids to text, special tokens left out."""
        return str(self._tokenizer.decode(ids))


def load_words(folder: Path) -> Words:
    """The tokenizer of a model folder."""
    from tokenizers import Tokenizer

    return Words(Tokenizer.from_file(str(folder / 'tokenizer.json')))
