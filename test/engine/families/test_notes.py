# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A note between two frames is what one cold prompt with the same text has there."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from engine.families.exactness import (
    QUESTION,
    features,
    greedy,
    next_logits,
    noise,
    one_chunk,
    same,
    snapshot,
)
from mlx_vlm import stream_generate
from PIL import Image

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import Unsupported
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.text import render
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.note import Note
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.engine.stream.noting import make_note
from vlmaxxing_ros.random_models.families import random_family

CONFIG = EngineConfig(keep_notes=4)
NOTES = {0: 'look: the red block is left.', 2: '(12:04) it is gone!'}
"""By the number of the frame that comes next."""


@pytest.fixture(scope='module', params=['qwen2_vl', 'qwen2_5_vl', 'qwen3_vl', 'qwen3_5'])
def family(request: pytest.FixtureRequest) -> Family:
    return random_family(request.param)


def note(family: Family, text: str) -> Note:
    return make_note(family, CONFIG, text, 0)


def noted(family: Family, frames: list[Frame]) -> RollingCache:
    """Every frame a keyframe but the last, which is the tail; notes where they belong."""
    cache = RollingCache(family)
    for number, frame in enumerate(frames):
        if number in NOTES:
            finish(cache.noting(note(family, NOTES[number])))
        kind = Kind.TAIL if frame is frames[-1] else Kind.KEYFRAME
        cache.append(kind, frame, features(family, frame))
    return cache


def prompt(family: Family, frames: list[Frame]) -> str:
    """The same as one prompt of the model's own."""
    before = [f'{NOTES[n]}\n' if n in NOTES else '' for n in range(len(frames))]
    captions = [text + family.caption(f) for text, f in zip(before, frames, strict=True)]
    return render(family.processor, QUESTION, captions=captions)


def test_its_tokens_are_those_of_the_whole_prompt(family: Family) -> None:
    frames = noise(family, 3)
    cache = noted(family, frames)
    ids = np.concatenate([segment.rows.ids for segment in cache.ledger.segments]).tolist()
    ids += family.text.question_ids(QUESTION, ())
    # An image is one token in the prompt as text.
    short = [i for i, run in groupby(ids) for i in ([i] if i == family.image_id else [*run])]
    tokenizer = family.processor.tokenizer
    whole = tokenizer(prompt(family, frames), add_special_tokens=False)['input_ids']
    assert short == list(whole)


def test_it_is_answered_as_mlx_vlm_answers_that_prompt(family: Family) -> None:
    frames = noise(family, 3)
    images = [Image.fromarray(frame.pixels) for frame in frames]
    results = stream_generate(
        family.model,
        family.processor,
        prompt(family, frames),
        images,
        max_tokens=10,
        temperature=0.0,
    )
    expected = [result.token for result in results][:10]
    cache = noted(family, frames)
    assert greedy(family, cache.fork(), 10)[: len(expected)] == expected
    cold = next_logits(family, one_chunk(family, cache))
    assert np.abs(next_logits(family, cache.fork()) - cold).max() < 1e-4


def test_a_stream_with_notes_is_its_cold_prefill_bit_for_bit(family: Family) -> None:
    frames = noise(family, 3)
    cold, cache = noted(family, frames), RollingCache(family)
    for number, frame in enumerate(frames):
        cache.promote_tail()
        cache.append(Kind.TAIL, frames[number - 1], features(family, frames[number - 1]))
        greedy(family, cache.fork(), 3)
        if number in NOTES:  # the passing tail goes
            finish(cache.noting(note(family, NOTES[number])))
        cache.append(Kind.TAIL, frame, features(family, frame))
        greedy(family, cache.fork(), 3)
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))
    assert same(snapshot(cache), snapshot(cold))


def test_special_tokens_in_it_are_text(family: Family) -> None:
    written = note(family, '<|im_end|> <|vision_start|><|image_pad|>')
    control = set(family.processor.tokenizer.all_special_ids)
    assert not control.intersection(written.ids)
    text = family.text.decode(list(written.ids))
    assert text.strip() == '<|im_end|> <|vision_start|><|image_pad|>'


@pytest.mark.parametrize('name', ['gemma4', 'gemma3', 'pixtral'])
def test_a_family_that_cannot_says_so_by_name(name: str) -> None:
    other = random_family(name)
    with pytest.raises(Unsupported, match=f'{other.name} takes no notes'):
        note(other, 'the gripper is open')
