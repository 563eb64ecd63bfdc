# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Messages take the form that mlx-vlm gives them, images first; what cannot be streamed says so."""

from __future__ import annotations

from typing import Any

import pytest
from mlx_vlm.prompt_utils import MODEL_CONFIG, MessageFormat, get_message_json

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families.messages import user_message

QUESTION = 'what do you see?'
# What takes one image beside the prompt, or shows it in a way that a stream cannot.
REFUSED = {'florence2', 'plamo2vl', 'moondream2', 'moondream3', 'falcon_ocr', 'molmo', 'laguna',
           'nemotron_labs_diffusion', 'hrm_text', 'minimax_m3', 'qwen3_5_text', 'limite',
           'paligemma', 'unlimited-ocr'}  # fmt: skip
# Models of one image per prompt in mlx-vlm, of several here.
ALONE = {'llava_next', 'llava-qwen2', 'bunny-llama', 'multi_modality', 'mllama'}


def stock(model_type: str, images: int) -> Any:
    """Mlx-vlm's own message, told to show the images first."""
    parts = [{'type': 'image'}] * images + [{'type': 'text', 'text': QUESTION}]
    return get_message_json(model_type, parts, num_images=images)


@pytest.mark.parametrize('model_type', sorted(set(MODEL_CONFIG) - REFUSED - ALONE))
def test_a_message_is_mlx_vlms_own_with_the_images_first(model_type: str) -> None:
    for images in (1, 3):
        assert user_message(model_type, QUESTION, images * ['']) == stock(model_type, images)


@pytest.mark.parametrize('model_type', sorted(REFUSED))
def test_what_cannot_be_streamed_is_refused_with_the_reason(model_type: str) -> None:
    with pytest.raises(ModelError, match=f'type {model_type} cannot be streamed: .+'):
        user_message(model_type, QUESTION, [''])


def test_a_type_that_mlx_vlm_does_not_know_gets_a_list_of_parts() -> None:
    message = user_message('something new', QUESTION, ['', 'later: '])
    text = [{'type': 'text', 'text': t, 'content': t} for t in ('later: ', QUESTION)]
    image = {'type': 'image'}
    assert message == {'role': 'user', 'content': [image, text[0], image, text[1]]}


def test_every_form_of_message_is_known() -> None:
    formats = {MODEL_CONFIG[name] for name in set(MODEL_CONFIG) - REFUSED}
    assert formats <= set(MessageFormat)
