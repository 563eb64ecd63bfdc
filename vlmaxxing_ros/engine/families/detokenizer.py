# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Token ids into text as they come.  Knows how to decode ids; knows nothing of models."""

from __future__ import annotations

from collections.abc import Callable


class Detokenizer:
    """Never cuts a character in two; white space around an answer is no part of it.

    Args:
        decode: the text of some ids.
    """

    def __init__(self, decode: Callable[[list[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._shown = 0
        self._begun = False
        self._space = ''

    def add(self, token: int) -> str:
        """The text that this token completes; empty while a character is open."""
        self._ids.append(token)
        before = self._decode(self._ids[: self._shown])
        after = self._decode(self._ids)
        if after.endswith('\ufffd'):
            return ''
        # A short tail is enough context for the next token: decoding stays linear.
        self._ids, self._shown = self._ids[-8:], min(len(self._ids), 8)
        return self._trimmed(after[len(before) :])

    def _trimmed(self, text: str) -> str:
        """White space is shown when something follows it, and never first."""
        text = self._space + text if self._begun else text.lstrip()
        shown = text.rstrip()
        self._space = text[len(shown) :]
        self._begun = self._begun or bool(shown)
        return shown
