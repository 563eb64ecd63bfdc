# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A user's text is text: tokenised without the control tokens, yet as it stands in a prompt.

Template text between it and the nearest control tokens is tokenised together with it, as in one
whole prompt: a word takes the space before it, line ends join.  Knows the tokenizer; knows nothing
of templates or models.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tokenizers import AddedToken, Tokenizer

from vlmaxxing_ros.engine.errors import InvalidRequest, ModelError

# Stand for the control token that comes before a text: in the middle of a prompt text is tokenised
# otherwise than at its beginning.  The second swallows white space, as some control tokens do.
# Noncharacters of Unicode, which are taken out of a user's text.
_BEFORE, _BEFORE_STRIPPED = '\ufdd0', '\ufdd1'
_SPACES = ' \t\r\n▁'
_NO_MARKS = str.maketrans('', '', _BEFORE + _BEFORE_STRIPPED)


class PlainText:
    """A tokenizer's view of a user's text inside a template's.

    Args:
        tokenizer: transformers' fast tokenizer.

    Raises:
        ModelError: the tokenizer is not one that the tokenizers library runs.
    """

    def __init__(self, tokenizer: Any) -> None:
        backend = getattr(tokenizer, 'backend_tokenizer', None)
        if not isinstance(backend, Tokenizer):
            raise ModelError(
                f'the tokenizer ({type(tokenizer).__name__}) is not a fast one, so a user could '
                'write control tokens: add tokenizer.json to the model folder'
            )
        self._tokenizer = tokenizer
        self._special_ids = set(tokenizer.all_special_ids)
        # Line ends and spaces in a row are added tokens of Gemma's: they control nothing.
        added = [
            token
            for token in tokenizer.added_tokens_decoder.values()
            if token.special or token.content.strip(_SPACES)
        ]
        longest = sorted((token.content for token in added), key=len, reverse=True)
        self._control = re.compile('|'.join(map(re.escape, longest)) or '(?!)')
        self._stripping = {token.content for token in added if token.rstrip}
        self._opening = next((t.content for t in added if not (t.rstrip or t.normalized)), '')
        spec = json.loads(backend.to_str())
        text = [
            t for t in spec['added_tokens'] if not (t['special'] or t['content'].strip(_SPACES))
        ]
        spec |= {'added_tokens': text, 'post_processor': None, 'truncation': None, 'padding': None}
        self._plain = Tokenizer.from_str(json.dumps(spec))
        self._plain.add_special_tokens(
            [
                AddedToken(_BEFORE, normalized=False, special=True),
                AddedToken(_BEFORE_STRIPPED, normalized=False, special=True, rstrip=True),
            ]
        )

    def control_ids(self, text: str, *, first: bool = False) -> list[int]:
        """Tokenise template text, in which special tokens are control.

        Args:
            text: what the template writes.
            first: it stands at a prompt's very beginning, not behind a control token.
        """
        opening = '' if first else self._opening
        ids = self._tokenizer(opening + text, add_special_tokens=False)['input_ids']
        return list(ids)[bool(opening) :]

    def ids(self, text: str, before: str = '', after: str = '') -> list[int]:
        """Tokenise a user's text, and what the template writes on both sides of it.

        Args:
            text: the user's; control tokens written in it are text.
            before: template text since the last frame, in which special tokens are control.
            after: template text up to the answer, likewise.

        Raises:
            InvalidRequest: the text cannot be encoded without a control token.
        """
        controls = list(self._control.finditer(before))
        start = controls[-1].end() if controls else 0
        following = self._control.search(after)
        end = following.start() if following else len(after)
        stripped = bool(controls) and controls[-1].group() in self._stripping
        mark = _BEFORE_STRIPPED if stripped else _BEFORE
        middle = before[start:] + text.translate(_NO_MARKS) + after[:end]
        ids = list(self._plain.encode(mark + middle, add_special_tokens=False).ids)[1:]
        if self._special_ids.intersection(ids):
            raise InvalidRequest('the text cannot be told apart from control tokens: rephrase it')
        return self.control_ids(before[:start]) + ids + self.control_ids(after[end:])

    def ends_open(self, text: str) -> bool:
        """Whether template text ends in a word: neither in white space nor in a control token."""
        ends = [match.end() for match in self._control.finditer(text)]
        return bool(text) and not text[-1].isspace() and ends[-1:] != [len(text)]
