# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A user's turn as a model's chat template wants it: images first, then the question.

Which form that is, is mlx-vlm's knowledge (`mlx_vlm.prompt_utils`); the order is ours: a stream
shows its frames before anybody asks, so the images come first even where mlx-vlm puts them last.
Knows nothing of templates, tokenizers or caches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlx_vlm.prompt_utils import MODEL_CONFIG, MessageFormat

from vlmaxxing_ros.engine.errors import ModelError

# Where the images are text of the question: what stands for the one with this number, from 1.
_WRITTEN = {
    MessageFormat.IMAGE_TOKEN: '<image>',
    MessageFormat.IMAGE_TOKEN_PIPE: '<|image|>',
    MessageFormat.IMAGE_PATCH_TOKEN: '<im_patch>',
    MessageFormat.START_IMAGE_TOKEN: '<start_of_image>',
    MessageFormat.IMAGE_TOKEN_NEWLINE: '<image>\n',
    MessageFormat.IMAGE_TOKEN_WRAPPED: '(<image>./</image>)\n',
    MessageFormat.NUMBERED_IMAGE_TOKENS: '<|image_{number}|>',
}
# Where one prompt cannot be a stream, and why.
_REFUSED = {
    MessageFormat.SINGLE_IMAGE_TOKEN: 'one mark stands for all of its images',
    MessageFormat.PROMPT_ONLY: 'it takes one image beside the prompt, not in it',
    MessageFormat.TEXT_ONLY: 'its prompt shows no images',
    MessageFormat.PROMPT_WITH_IMAGE_TOKEN: (
        'its image attends to the question (prefix language model), so that nothing of a frame can '
        'be kept from one question to the next'
    ),
}


def user_message(model_type: str, question: str, captions: Sequence[str]) -> dict[str, Any]:
    """One turn: an image behind each caption, '' for none, then the question.

    Raises:
        ModelError: models of this type cannot be streamed; the text says why.
    """
    form = MODEL_CONFIG.get(model_type.lower(), MessageFormat.LIST_WITH_IMAGE_FIRST)
    if form in _REFUSED:
        raise ModelError(f'models of type {model_type} cannot be streamed: {_REFUSED[form]}')
    content: list[dict[str, str]] = []
    if form in _WRITTEN:
        mark = _WRITTEN[form]
        shown = [caption + mark.format(number=n) for n, caption in enumerate(captions, 1)]
        return {'role': 'user', 'content': ''.join(shown) + question}
    kind = 'image_url' if form is MessageFormat.LIST_WITH_IMAGE_URL_FIRST else 'image'
    for caption in captions:
        if caption:
            content.append(_text(caption))
        content.append({'type': kind})
    return {'role': 'user', 'content': [*content, _text(question)]}


def _text(text: str) -> dict[str, str]:
    """Templates read a text part's words from one key or the other."""
    return {'type': 'text', 'text': text, 'content': text}
