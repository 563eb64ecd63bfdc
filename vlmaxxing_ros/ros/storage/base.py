# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What every format has in common: topics, messages in order, and parts that may be damaged.

Knows no format.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

Message = tuple[int, str, bytes]
"""Time of recording in ns, topic, serialised message."""

Remark = Callable[[str], None]


class BagError(Exception):
    """A recording that cannot be read; the text says what to do."""


@dataclass(frozen=True)
class Topic:
    """A recorded topic: its name, its type (`sensor_msgs/msg/Image`), if it was latched."""

    name: str
    type: str
    latched: bool


class Storage(Protocol):
    """An open file of a recording."""

    topics: dict[str, Topic]

    def messages(self, topics: Collection[str]) -> Iterator[Message]:
        """The messages on these topics, in the order of recording, as CDR."""

    def close(self) -> None:
        """Let go of the file."""


@dataclass(frozen=True)
class Part:
    """A stretch of a file that is read as a whole.

    Attributes:
        start: of its first message in ns, as the file says.
        read: gives its messages, sorted by time; raises anything if it is damaged.
    """

    start: int
    read: Callable[[], list[Message]]


def merged(parts: Iterable[Part], damaged: Callable[[int, str], None]) -> Iterator[Message]:
    """The messages of all parts by time; parts that cannot be read are left out.

    Args:
        parts: are read when their turn comes.
        damaged: is told how many could not be read, if any, and what was wrong with the first.
    """
    reasons: list[str] = []

    def opened(part: Part) -> Iterator[Message]:
        yield part.start, '', b''
        try:
            messages = part.read()
        except Exception as error:  # damaged bytes raise whatever they look like
            reasons.append(reason(error))
        else:
            yield from messages

    for message in heapq.merge(*map(opened, parts), key=lambda message: message[0]):
        if message[1]:
            yield message
    if reasons:
        damaged(len(reasons), reasons[0])


def check_beginning(file: BinaryIO, magic: bytes, path: Path, kind: str) -> None:
    """Read a file's first bytes, which say what it is.

    Raises:
        BagError: they are not `magic`: it is empty, or not of this kind.
    """
    beginning = file.read(len(magic))
    if not beginning:
        raise BagError(f'{path} is empty: nothing was recorded, or it was not copied')
    if beginning != magic:
        raise BagError(f'{path} is no {kind}: it begins with {beginning!r}')


def reason(error: Exception) -> str:
    """An error in one line."""
    text = ' '.join(str(error).split()).rstrip('.')
    return text or type(error).__name__
