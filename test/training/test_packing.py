# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Packed batches: every answer is asked for once, in place, the same for the same seed."""

from __future__ import annotations

import numpy as np

from vlmaxxing_ros.demo.tabletop_state import COLORS
from vlmaxxing_ros.training import packing
from vlmaxxing_ros.training.tokens import CLOSING, IDS, Words, train_tokenizer


def test_a_batch_is_repeatable_and_complete() -> None:
    words = Words(train_tokenizer())
    batch, again = (packing.draw_batch(words, 1, 5, 0.0) for _ in range(2))
    assert np.array_equal(batch.frames, again.frames)
    assert np.array_equal(batch.ids, again.ids)
    closing = words.encode(CLOSING)
    for row, asked in enumerate(batch.questions):
        assert asked
        for index, question in enumerate(asked):
            own = batch.segment[row] == index
            wanted = batch.target[row, own]
            said = wanted[wanted >= 0].tolist()
            assert said == [*words.encode(question.answer), IDS['<|im_end|>']]
            shown = batch.ids[row, own].tolist()
            prompt = [*words.encode(question.prompt), *closing]
            assert shown == [*prompt, *said[:-1]]
            steps = np.diff(batch.position[row, own])
            assert (steps == 1).all()
    assert (batch.target[batch.segment < 0] == -1).all()


def test_the_prefix_places_blocks_as_m_rope_does() -> None:
    words = Words(train_tokenizer())
    ids, image_at, places, base = packing.prefix(words, 2, 3, 4)
    opening = len(words.encode(packing.OPENING))
    assert ids[opening] == IDS['<|vision_start|>']
    assert (ids[image_at] == IDS['<|image_pad|>']).all()
    assert len(image_at) == 24
    assert places[:, image_at[0]].tolist() == [opening + 1] * 3
    assert places[:, image_at[11]].tolist() == [opening + 1, opening + 3, opening + 4]
    assert base == opening + 2 * (1 + 4 + 1)


def test_training_shapes_cover_what_the_model_is_asked_for() -> None:
    rng = np.random.default_rng(0)
    shapes = [packing.draw_shape(rng, 0.5) for _ in range(2000)]
    assert {frames for _, frames, _, _ in shapes} >= {1, 2, 3, 4, 8, 16}
    assert {(rows, cols) for *_, rows, cols in shapes} == set(packing.GRIDS)
    assert sum(frames == 8 for _, frames, _, _ in shapes) > 600


def test_probe_labels_say_what_the_states_say() -> None:
    words = Words(train_tokenizer())
    batch = packing.draw_batch(words, 1, 5, 0.0)
    seen = 0
    for row, asked in enumerate(batch.questions):
        for question in asked:
            if question.family == 'count':
                present = (batch.labels['place'][row, -1] < 9).sum()
                assert int(question.answer) == present
                seen += 1
            if question.family == 'colors' and question.answer != 'none':
                listed = {
                    list(COLORS)[c] for c in np.flatnonzero(batch.labels['place'][row, -1] < 9)
                }
                assert listed == set(question.answer.split())
            if question.family == 'gripper':
                assert batch.labels['grip'][row, -1] == int(question.answer == 'open')
    assert seen > 10
