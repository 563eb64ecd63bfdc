# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Text in and out of a model: what stands around a stream, a question and an answer, as tokens.

Knows the tokenizer and the model's prompts; knows nothing of frames, caches or weights.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from threading import Lock, Thread
from typing import Any

from llguidance import LLTokenizer

from vlmaxxing_ros.engine.errors import InvalidRequest, ModelError
from vlmaxxing_ros.engine.families.detokenizer import Detokenizer
from vlmaxxing_ros.engine.families.json_constraint import JsonConstraint, read_vocabulary
from vlmaxxing_ros.engine.families.plain_text import PlainText
from vlmaxxing_ros.engine.families.prompts import LABEL, MARK, Prompts, prompts, render

__all__ = ['ChatText', 'Detokenizer', 'render']


CHARACTERS = 16
"""Of a token, in the mean of a long text, at most: what is longer needs no tokenising."""


class ChatText:
    """The text around a stream: what stands before the frames, and around a question.

    Args:
        processor: the model's mlx-vlm processor.
        model_type: of the model.
        end_ids: ids that end an answer.

    Attributes:
        prompts: the model's prompts.
        prefix_ids: what stands before the first frame.
        before: what the template writes between the newest frame and the question.
        labels: whether a text between two frames stands there as it is.
        end_ids: ids that end an answer.

    Raises:
        ModelError: the template cannot be rendered, or the tokenizer cannot be used.
    """

    def __init__(self, processor: Any, model_type: str, end_ids: set[int]) -> None:
        self._tokenizer = getattr(processor, 'tokenizer', processor)
        self._plain = PlainText(self._tokenizer)
        self.prompts: Prompts = prompts(processor, model_type)
        self.end_ids = end_ids
        self.prefix_ids: list[int] = []
        self.before = ''
        self.labels = False
        self._reading = Lock()
        self._read: LLTokenizer | None = None

    def frames_between(self, opening: str, closing: str) -> None:
        """Settle what stands around the frames, which lie between two control tokens.

        Raises:
            ModelError: the prompts do not show an image that way.
        """
        head, opened, rest = self.prompts.shown[0].partition(opening)
        _, closed, rest = rest.partition(closing)
        before, marked, _ = rest.partition(MARK)
        if not (opened and closed and marked):
            raise ModelError(
                'the chat template does not show an image followed by text: '
                f'{opening}...{closing} and the question expected in {self.prompts.shown[0]!r}'
            )
        self.frames_behind(self.one_bos(self.control_ids(head, first=True)), before)
        self.labels = f'{closing}{LABEL}{opening}' in self.prompts.labelled

    def frames_behind(self, prefix_ids: list[int], before: str) -> None:
        """Settle what stands before the frames, and between them and a question."""
        self.prefix_ids, self.before = prefix_ids, before

    def ends_with(self, ids: list[int]) -> None:
        """Settle what stands before an answer: some processors drop a closed block for thoughts.

        Args:
            ids: what the processor writes behind the last frame.
        """
        written = self.prompts.shown[0].endswith(self.prompts.after)
        if written and self.thought_begin >= 0 and self.thought_begin not in ids:
            self.prompts = self.prompts.without_block()

    def one_bos(self, ids: list[int]) -> list[int]:
        """A prompt's ids with one beginning of sequence, where the tokenizer has one.

        Templates write it, tokenizers add it, and some models get both.
        """
        begin = self._begin
        while begin and ids[: len(begin)] == begin:
            ids = ids[len(begin) :]
        return begin + ids

    @cached_property
    def _begin(self) -> list[int]:
        """What the tokenizer puts before any text."""
        alone, dressed = (
            list(self._tokenizer('a', add_special_tokens=add)['input_ids']) for add in (False, True)
        )
        starts = range(len(dressed) - len(alone) + 1)
        place = next((i for i in starts if dressed[i : i + len(alone)] == alone), 0)
        return dressed[:place]

    def control_ids(self, text: str, *, first: bool = False) -> list[int]:
        """Tokenise template text, in which special tokens are control.

        Args:
            text: what the template writes.
            first: it stands at a prompt's very beginning, not behind a control token.
        """
        return self._plain.control_ids(text, first=first)

    def plain_ids(self, text: str) -> list[int]:
        """Tokenise a user's text: special tokens written in it are text, never control.

        Raises:
            InvalidRequest: the text cannot be encoded without a control token.
        """
        return self._plain.ids(text)

    def note_ids(self, line: str) -> list[int]:
        """Tokenise a line that stands by itself between two frames, its end included.

        Raises:
            InvalidRequest: the text cannot be encoded without a control token.
        """
        return self._plain.ids(line + '\n')

    def question_ids(
        self, question: str, choices: tuple[str, ...], *, thinking: bool = False
    ) -> list[int]:
        """Everything that follows the newest frame: the question, and the answer's opening.

        Raises:
            InvalidRequest: the question cannot be encoded without a control token.
        """
        text = question + ('\nOptions: ' + ', '.join(choices) if choices else '')
        text = self.prompts.stripped(text)
        after = self.prompts.thoughtful if thinking else self.prompts.after
        return self._plain.ids(text, self.before, after)

    def choice_ids(self, choice: str) -> list[int]:
        """An answer as the model would write it: behind a word it begins with a space.

        Raises:
            InvalidRequest: the choice cannot be encoded without a control token.
        """
        opens = self._plain.ends_open(self.prompts.after)
        return self._plain.ids(' ' + choice if opens else choice)

    @cached_property
    def can_think(self) -> bool:
        """Whether the prompt can let the model think, and one token ends its thoughts."""
        known = self.prompts.thoughtful != self.prompts.after
        return known and self.thought_end >= 0

    @cached_property
    def thought_begin(self) -> int:
        """The token that opens a thought; -1: there is none."""
        return self._token(self.prompts.thought.opening)

    @cached_property
    def thought_end(self) -> int:
        """The token that closes a thought; -1: there is none."""
        return self._token(self.prompts.thought.closing.strip())

    @property
    def thought_is_open(self) -> bool:
        """Whether the prompt itself opens the block for thoughts."""
        return self.prompts.thought.opening in self.prompts.thoughtful

    def _token(self, text: str) -> int:
        ids = self.control_ids(text)
        return ids[0] if len(ids) == 1 else -1

    def detokenizer(self) -> Detokenizer:
        """A fresh streaming detokenizer."""
        return Detokenizer(self.decode)

    def json_constraint(self, schema: str) -> JsonConstraint:
        """A constraint that lets through only what satisfies a JSON schema.

        Raises:
            InvalidRequest: the schema is not valid JSON, or not a schema that can be enforced, or
                the tokenizer is one that cannot be constrained.
        """
        return JsonConstraint(self.vocabulary(), schema)

    def read_ahead(self) -> Thread:
        """Begin to read the vocabulary, on a thread of its own: seconds for a large one."""

        def read() -> None:
            with suppress(InvalidRequest):  # who asks for JSON will be told
                self.vocabulary()

        thread = Thread(target=read, name='vocabulary', daemon=True)
        thread.start()
        return thread

    def vocabulary(self) -> LLTokenizer:
        """The tokenizer's, read once by whoever needs it first; the others wait for it.

        Raises:
            InvalidRequest: the tokenizer is one that cannot be constrained.
        """
        with self._reading:
            if self._read is None:
                try:
                    self._read = read_vocabulary(self._tokenizer)
                except BaseException as error:  # whatever its parser met, or a panic in Rust
                    raise InvalidRequest(
                        f'json_schema cannot be used with this tokenizer: {error}'
                    ) from error
            return self._read

    def decode(self, ids: list[int]) -> str:
        """The text of an answer; special tokens are left out."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))
