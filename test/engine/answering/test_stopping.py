# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Stop texts are found wherever the pieces end, and nothing of them is ever shown."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.engine.answering.stopping import Stops


@pytest.mark.parametrize(
    ('texts', 'pieces', 'shown'),
    [
        ((), ['a', 'b'], ['a', 'b', '']),
        (('.',), ['red', '. blue'], ['red', '']),
        (('.',), ['.'], ['']),
        (('END',), ['red E', 'N', 'D blue'], ['red ', '', '']),
        (('END',), ['red E', 'N', 'd'], ['red ', '', 'ENd', '']),
        (('END',), ['red EN'], ['red ', 'EN']),
        (('aab',), ['aa', 'a', 'b'], ['', 'a', '']),
        (('b c', 'a b d'), ['a b', ' c'], ['', 'a ']),
        (('later', 'ate'), ['l', 'ate', 's'], ['', 'l']),
        (('\n\n', '\n#'), ['one\n', 'two\n', '#'], ['one', '\ntwo', '']),
    ],
)
def test_what_is_shown(texts: tuple[str, ...], pieces: list[str], shown: list[str]) -> None:
    stops, seen = Stops(texts), []
    for piece in pieces:
        seen.append(stops.add(piece))
        if stops.found:
            break
    else:
        seen.append(stops.rest())
    assert seen == shown
    whole = ''.join(pieces)
    ends = [place for text in texts if (place := whole.find(text)) >= 0]
    assert ''.join(seen) == whole[: min(ends, default=None)]
