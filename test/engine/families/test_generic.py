# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A model that nobody has looked into is streamed if it proves that it can be, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from engine.families.exactness import features, noise, stream

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.errors import ModelError, Unsupported
from vlmaxxing_ros.engine.families import Family, make_family
from vlmaxxing_ros.engine.families.generic import Generic
from vlmaxxing_ros.random_models.families import random_family


@pytest.fixture(scope='module')
def family() -> Family:
    return random_family('lfm2_vl')


def test_a_frame_is_what_the_models_own_processor_writes(family: Family) -> None:
    frame = noise(family, 1, rows=4, cols=4)[0]
    rows = family.frame_rows(frame.grid, 7)
    tokens = family.processor.tokenizer.convert_ids_to_tokens(rows.ids.tolist())
    assert tokens == ['<|image_start|>', *['<image>'] * 16, '<|image_end|>']
    assert rows.blocks.tolist() == [-1, *range(16), -1]
    assert (rows.positions[0, 0], rows.end) == (7, 25)
    assert features(family, frame).embeds.shape[0] == 16


def test_recurrent_layers_cannot_be_rewound(family: Family) -> None:
    assert isinstance(family, Generic)
    assert not family.capabilities.rewind


def test_part_of_a_frame_is_refused(family: Family) -> None:
    frame = noise(family, 1)[0]
    with pytest.raises(Unsupported, match='whole frames only'):
        stream(family, []).append(Kind.DELTA, frame, features(family, frame), np.array([1]))


@pytest.mark.parametrize(
    ('model_type', 'reason'),
    [('qwen2_5_vl', 'rows have positions of their own'), ('gemma4', 'differ .* by')],
)
def test_a_model_that_a_stream_would_show_other_positions_or_masks_is_refused(
    model_type: str, reason: str
) -> None:
    known = random_family(model_type)
    with pytest.raises(ModelError, match=f'cannot be streamed exactly: .* {reason}') as refusal:
        make_family('something new', known.model, known.processor, {'model_type': 'new'})
    assert 'something new' in str(refusal.value)


def test_a_model_whose_own_code_fails_is_refused_by_name(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError('no such thing as a frame')

    monkeypatch.setattr(type(family.model), 'get_input_embeddings', broken)
    with pytest.raises(ModelError, match=r"'new one' cannot be streamed: .*no such thing"):
        make_family('new one', family.model, family.processor, {'model_type': 'new'})


@pytest.mark.parametrize('written', ['[IMG]', '[IMG]\\n', '<img>[IMG]</img>', '\\n[IMG]\\n'])
def test_a_stream_is_what_the_template_writes_for_more_and_more_images(written: str) -> None:
    known, processor = random_family('pixtral'), _processor(written)
    family = make_family('new', known.model, processor, {'model_type': 'new'})
    grid = noise(family, 1, rows=1, cols=1)[0].grid
    ids = [*family.text.prefix_ids]
    for _ in range(4):
        ids += family.frame_rows(grid, len(ids)).ids.tolist()
    ids += family.text.question_ids('what?', ())
    image = written.replace('\\n', '\n')
    image = image.replace('[IMG]', '[IMG][IMG][IMG_BREAK][IMG][IMG][IMG_END]')
    text = 'user:' + 4 * image + 'what?'
    assert ids == processor.tokenizer(text, add_special_tokens=False)['input_ids']


def test_a_template_that_numbers_its_images_is_refused() -> None:
    known = random_family('pixtral')
    with pytest.raises(ModelError, match='processor writes'):
        make_family('new', known.model, _processor('[IMG]{{ loop.index }}'), {'model_type': 'new'})


def _processor(written: str) -> Any:
    """A processor whose template writes an image as `written`."""
    processor = random_family('pixtral').processor
    processor.chat_template = (
        "user:{% for part in messages[0]['content'] %}{% if part['type'] == 'image' %}{{ '' }}"
        + written.replace('\\n', "{{ '\\n' }}")
        + "{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    )
    return processor
