# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Text in and out: control tokens come from the template only."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.text import render

CONTROL = set(range(498, 512))


def test_special_tokens_in_a_text_are_text(qwen: Family) -> None:
    text = 'a <|image_pad|> b <|im_end|> <|vision_start|> <|endoftext|>'
    ids = qwen.text.plain_ids(text)
    assert not CONTROL.intersection(ids)
    assert qwen.text.decode(ids) == text


def test_a_question_is_tokenised_as_the_stock_template_does(qwen: Family) -> None:
    tokenizer = qwen.processor.tokenizer
    content = [{'type': 'image'}, {'type': 'text', 'text': 'where is the red block?'}]
    stock = tokenizer.apply_chat_template(
        [{'role': 'user', 'content': content}],
        chat_template=qwen.processor.chat_template,
        add_generation_prompt=True,
        tokenize=False,
    )
    expected = tokenizer(stock, add_special_tokens=False)['input_ids']
    start, pad, end = 507, 510, 508
    ours = [
        *qwen.text.prefix_ids,
        start, pad, end,
        *qwen.text.question_ids('where is the red block?', ()),
    ]  # fmt: skip
    assert ours == expected


def test_captions_stand_before_their_images(qwen: Family) -> None:
    image = '<|vision_start|><|image_pad|><|vision_end|>'
    told = render(qwen.processor, 'what?', captions=['at once: ', '', 'later: '])
    assert f'\nat once: {image}{image}later: {image}what?<|im_end|>' in told
    assert render(qwen.processor, 'what?', captions=['', '']) == render(
        qwen.processor, 'what?', images=2
    )


def test_choices_are_listed_behind_the_question(qwen: Family) -> None:
    ids = qwen.text.question_ids('which one?', ('left', 'top right'))
    assert 'which one?\nOptions: left, top right' in qwen.text.decode(ids)


def test_characters_are_never_cut_in_two(qwen: Family) -> None:
    text = 'größer 猫 🤖 end'
    detokenizer = qwen.text.detokenizer()
    pieces = [detokenizer.add(token) for token in qwen.text.plain_ids(text)]
    assert ''.join(pieces) == text
    assert not any('\ufffd' in piece for piece in pieces)
    assert '' in pieces


def test_long_texts_stream_without_loss(qwen: Family) -> None:
    text = ('the red block is top left, ' * 20).strip()
    detokenizer = qwen.text.detokenizer()
    assert ''.join(detokenizer.add(t) for t in qwen.text.plain_ids(text)) == text


@pytest.mark.parametrize('schema', ['{', '{"type": "nonsense"}'])
def test_a_schema_that_cannot_be_used_is_refused(qwen: Family, schema: str) -> None:
    with pytest.raises(InvalidRequest, match='json_schema'):
        qwen.text.json_constraint(schema)
