# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""From a line of text to a note, or to why it cannot be one.  Knows nothing of caches."""

from __future__ import annotations

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidRequest, Unsupported
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.families.text import CHARACTERS
from vlmaxxing_ros.engine.seeing.note import Note

MAX_TOKENS = 64
"""Tokens of a note at most."""


def make_note(family: Family, config: EngineConfig, text: str, stamp: int) -> Note:
    """A note; `stamp` as there.  Special tokens written in the text are text.

    Raises:
        Unsupported: not with this model, or not with these settings.
        InvalidRequest: it is empty, more than a line, or too long.
    """
    if not family.capabilities.notes:
        raise Unsupported(
            f'{family.name} takes no notes: what it is shown between two frames is for its '
            'processor to write; say it with the question'
        )
    if not config.keep_notes:
        raise Unsupported('notes are off: set keep_notes to how many a history may keep')
    if config.compression != 'none':
        raise Unsupported('compression would take words out of notes: set compression to none')
    line = text.strip()
    if not line:
        raise InvalidRequest('the note is empty: write something')
    if len(line.splitlines()) > 1:
        raise InvalidRequest('a note is one line: leave out the line ends, or write several notes')
    if len(line) > CHARACTERS * MAX_TOKENS:  # without tokenising it first
        raise InvalidRequest(
            f'the note has {len(line)} characters, more than {MAX_TOKENS} tokens may have: '
            'shorten it'
        )
    ids = family.text.note_ids(line)
    if len(ids) > MAX_TOKENS:
        raise InvalidRequest(
            f'the note has {len(ids)} tokens; at most {MAX_TOKENS} are allowed: shorten it'
        )
    return Note(tuple(ids), stamp)
