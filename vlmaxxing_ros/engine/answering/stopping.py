# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Texts at which an answer ends, found while it is decoded piece by piece.

What may be the beginning of such a text is held back until it turns out to be none, so that nobody
is shown what does not belong to the answer.  Knows texts; knows nothing of tokens.
"""

from __future__ import annotations


class Stops:
    """One answer's.

    Args:
        texts: none of them empty.

    Attributes:
        found: whether one of them was there.
    """

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = texts
        self._held = ''
        self.found = False

    def add(self, text: str) -> str:
        """Go on with a piece of the answer; returns what belongs to it, of this one and before."""
        text = self._held + text
        places = [place for stop in self._texts if (place := text.find(stop)) >= 0]
        self.found = bool(places)
        end = min(places) if places else len(text) - self._begun(text)
        self._held = '' if places else text[end:]
        return text[:end]

    def rest(self) -> str:
        """The answer has ended: what was held back belongs to it."""
        held, self._held = self._held, ''
        return held

    def _begun(self, text: str) -> int:
        """Length of the longest end of a text with which one of the texts may begin."""
        lengths = (
            length
            for stop in self._texts
            for length in range(1, min(len(stop) - 1, len(text)) + 1)
            if text.endswith(stop[:length])
        )
        return max(lengths, default=0)
