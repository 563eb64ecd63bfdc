# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Text in and out of a model: the chat template around a stream, and plain-text tokenisation.

Knows the tokenizer and the chat template; knows nothing of frames, caches or weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from llguidance import LLTokenizer
from tokenizers import Tokenizer

from vlmaxxing_ros.engine.errors import InvalidRequest, ModelError
from vlmaxxing_ros.engine.families.json_constraint import JsonConstraint, read_vocabulary

_MARK = 'QUESTIONMARKER'


class ChatText:
    """The text around a stream: what stands before the frames, and around a question.

    The template is rendered once with one image and a marker for the question; the stream
    replaces the image, the question replaces the marker.

    Args:
        processor: the model's mlx-vlm processor.
        frame_open: the text that opens an image, such as `<|vision_start|>`.
        frame_close: the text that closes it; empty where an image is a single placeholder.
        end_ids: ids that end an answer.

    Raises:
        ModelError: the template cannot be rendered, or shows no image.
    """

    def __init__(
        self, processor: Any, *, frame_open: str, frame_close: str, end_ids: set[int]
    ) -> None:
        self._tokenizer = getattr(processor, 'tokenizer', processor)
        self.end_ids = end_ids
        rendered = render(processor, _MARK)
        head, opened, rest = rendered.partition(frame_open)
        if frame_close:
            _, opened, rest = rest.partition(frame_close)
        before, marked, after = rest.partition(_MARK)
        if not (opened and marked):
            raise ModelError(
                'the chat template does not show an image followed by text: '
                f'{frame_open}...{frame_close} and the question expected in {rendered!r}'
            )
        self.prefix_ids = self.control_ids(head)
        self._before_ids = self.control_ids(before)
        self._after_ids = self.control_ids(after)
        self._plain = _without_control_tokens(self._tokenizer.backend_tokenizer)
        self._control_ids = set(self._tokenizer.all_special_ids)

    def control_ids(self, text: str) -> list[int]:
        """Tokenise template text, in which special tokens are control."""
        return list(self._tokenizer(text, add_special_tokens=False)['input_ids'])

    def plain_ids(self, text: str) -> list[int]:
        """Tokenise a user's text: special tokens written in it are text, never control.

        Raises:
            InvalidRequest: the text cannot be encoded without a control token.
        """
        ids = list(self._plain.encode(text, add_special_tokens=False).ids)
        if self._control_ids.intersection(ids):
            raise InvalidRequest('the text cannot be told apart from control tokens: rephrase it')
        return ids

    def question_ids(self, question: str, choices: tuple[str, ...]) -> list[int]:
        """Everything that follows the newest frame: the question, and the answer's opening."""
        text = question + ('\nOptions: ' + ', '.join(choices) if choices else '')
        return self._before_ids + self.plain_ids(text) + self._after_ids

    def detokenizer(self) -> Detokenizer:
        """A fresh streaming detokenizer."""
        return Detokenizer(self)

    def json_constraint(self, schema: str) -> JsonConstraint:
        """A constraint that lets through only what satisfies a JSON schema.

        Raises:
            InvalidRequest: the schema is not valid JSON, or not a schema that can be enforced.
        """
        return JsonConstraint(self._vocabulary, schema)

    @cached_property
    def _vocabulary(self) -> LLTokenizer:
        """Read with the first question that needs it."""
        return read_vocabulary(self._tokenizer)

    def decode(self, ids: list[int]) -> str:
        """The text of an answer; special tokens are left out."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))


def render(processor: Any, question: str, *, images: int = 1, captions: Sequence[str] = ()) -> str:
    """A prompt as the model's chat template writes it: the images, then the question.

    Args:
        processor: the model's mlx-vlm processor.
        question: plain text.
        images: how many there are, unless captions tell.
        captions: text before each image; '' for none.

    Raises:
        ModelError: the model has no chat template.
    """
    tokenizer = getattr(processor, 'tokenizer', processor)
    template = getattr(processor, 'chat_template', None) or tokenizer.chat_template
    if not template:
        raise ModelError('the model has no chat template: add chat_template.jinja to its folder')
    content = []
    for caption in captions or [''] * images:
        if caption:
            content.append({'type': 'text', 'text': caption})
        content.append({'type': 'image'})
    content.append({'type': 'text', 'text': question})
    return str(
        tokenizer.apply_chat_template(
            [{'role': 'user', 'content': content}],
            chat_template=template,
            tokenize=False,
            add_generation_prompt=True,
        )
    )


def frame_text(processor: Any) -> str:
    """What the chat template writes for one image: what a second image adds to the prompt.

    Raises:
        ModelError: the template does not write images one after the other.
    """
    one, two = (render(processor, _MARK, images=count) for count in (1, 2))
    size = len(two) - len(one)
    for start in range(one.find(_MARK) - size, -1, -1):
        text = one[start : start + size]
        if size > 0 and one[:start] + text + one[start:] == two:
            return text
    raise ModelError(f'the chat template does not write images one after the other: {two!r}')


def _without_control_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """A copy of a tokenizer that cannot produce an added token."""
    spec = json.loads(tokenizer.to_str())
    spec['added_tokens'] = []
    spec['post_processor'] = None
    return Tokenizer.from_str(json.dumps(spec))


class Detokenizer:
    """Turns token ids into text as they come, never cutting a character in two."""

    def __init__(self, text: ChatText) -> None:
        self._text = text
        self._ids: list[int] = []
        self._shown = 0

    def add(self, token: int) -> str:
        """The text that this token completes; empty while a character is open."""
        self._ids.append(token)
        before = self._text.decode(self._ids[: self._shown])
        after = self._text.decode(self._ids)
        if after.endswith('\ufffd'):
            return ''
        # A short tail is enough context for the next token: decoding stays linear.
        self._ids, self._shown = self._ids[-8:], min(len(self._ids), 8)
        return after[len(before) :]
