# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A .mcap file: by its index where it has one, record by record where it was cut off.

rosbags' own reader wants a whole file with sound definitions; its decoders are used here.  What
was converted from a ROS 1 bag holds messages of ROS 1.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from rosbags.interfaces import QosDurability
from rosbags.rosbag2 import ReaderError
from rosbags.rosbag2.metadata import parse_qos
from rosbags.rosbag2.storage_mcap import decompress, read_bytes, read_exact, read_string

from vlmaxxing_ros.ros.storage.base import (
    BagError,
    Message,
    Part,
    Remark,
    Topic,
    check_beginning,
    merged,
)
from vlmaxxing_ros.ros.storage.ros1_messages import Ros1Messages

_MAGIC = b'\x89MCAP0\r\n'
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _CHUNK_INDEX, _DATA_END = 0x03, 0x04, 0x05, 0x06, 0x08, 0x0F
_LAST = 0x0F  # the highest opcode there is
_FOOTER = 37  # bytes from the footer record to the end


class Mcap:
    """An open .mcap file.

    Raises:
        BagError: it is empty, no .mcap, or without any channel.
    """

    def __init__(self, path: Path, remark: Remark) -> None:
        self._path = path
        self._remark = remark
        self._schemas: dict[int, tuple[str, bytes]] = {}  # id: type, the rest
        self._channels: dict[int, str] = {}  # id: topic
        self._ros1: dict[int, str] = {}  # id: type, of those that hold messages of ROS 1
        self._ros1_messages = Ros1Messages(path, remark)
        self._chunks: dict[int, int] = {}  # offset: start in ns
        self._loose: list[tuple[int, int, int]] = []  # of no chunk: time, offset, channel
        self.topics: dict[str, Topic] = {}
        self._file = path.open('rb')
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def messages(self, topics: Collection[str]) -> Iterator[Message]:
        """The messages on these topics, in the order of recording."""
        wanted = {number: topic for number, topic in self._channels.items() if topic in topics}
        parts = [
            Part(start, partial(self._read_chunk, offset, wanted))
            for offset, start in self._chunks.items()
        ]
        parts += [
            Part(time, partial(self._read_loose, offset, wanted))
            for time, offset, channel in sorted(self._loose)
            if channel in wanted
        ]
        yield from merged(parts, self._damaged)
        self._ros1_messages.tell()

    def _damaged(self, count: int, why: str) -> None:
        self._remark(
            f'{self._path}: {count} of {len(self._chunks) + len(self._loose)} chunks are damaged '
            f'and left out ({why}); mcap recover {self._path} -o mended.mcap keeps what is whole'
        )

    def _open(self) -> None:
        check_beginning(self._file, _MAGIC, self._path, '.mcap file')
        try:
            whole = self._read_summary()
        except Exception:  # damaged bytes raise whatever they look like
            whole = False
        if not whole:
            self._scan()
        if not self.topics:
            raise BagError(
                f'{self._path} holds no topic of ROS: nothing was recorded, it was cut off before '
                'its first chunk was written, or it holds something else'
            )

    def _read_summary(self) -> bool:
        """Read the index at the end; False if there is none, or not all of it."""
        size = self._file.seek(0, 2)
        self._file.seek(size - _FOOTER)
        footer = read_exact(self._file, _FOOTER)
        (start,) = struct.unpack('<Q', footer[9:17])
        if not footer.endswith(_MAGIC) or not start:
            return False
        for code, offset, length in _records(self._file, start, size - _FOOTER):
            self._file.seek(offset)
            record = BytesIO(read_exact(self._file, length))
            if code == _CHUNK_INDEX:
                begin, _, chunk = struct.unpack('<QQQ', read_exact(record, 24))
                self._chunks[chunk] = begin
            else:
                self._note(code, record)
        return bool(self._chunks and self.topics)

    def _scan(self) -> None:
        """Go through the records, up to where the file was cut off."""
        self._schemas.clear()
        self._channels.clear()
        self._chunks.clear()
        self.topics.clear()
        size = self._file.seek(0, 2)
        end, code = len(_MAGIC), 0
        for code, offset, length in _records(self._file, end, size):
            end = offset + length
            if code == _DATA_END:
                return
            self._file.seek(offset)
            if code == _MESSAGE:
                channel, _, time = struct.unpack('<HIQ', read_exact(self._file, 14))
                self._loose.append((time, offset, channel))
            elif code == _CHUNK:
                (start,) = struct.unpack('<Q', read_exact(self._file, 8))
                self._chunks[offset - 9] = start
                try:
                    self._within(offset - 9, self._note)
                except Exception:  # told when its messages are wanted
                    continue
            elif code in (_SCHEMA, _CHANNEL):
                self._note(code, BytesIO(read_exact(self._file, length)))
        self._remark(
            f'{self._path} was cut off at byte {end}: the recorder did not end properly, or the '
            f'copy is not complete.  What is there is read; mcap recover {self._path} -o '
            'mended.mcap makes a whole file of it'
        )

    def _note(self, code: int, record: BinaryIO) -> None:
        """Remember a schema or a channel."""
        if code == _SCHEMA:
            (number,) = struct.unpack('<H', read_exact(record, 2))
            self._schemas[number] = read_string(record), record.read()
        elif code == _CHANNEL:
            number, schema = struct.unpack('<HH', read_exact(record, 4))
            topic, encoding = read_string(record), read_string(record)
            if number in self._channels:
                return
            if encoding not in ('cdr', 'ros1'):
                self._remark(f'{self._path}: {topic} is left out: {encoding!r}, not ROS')
                return
            kind, rest = self._schemas.get(schema, ('', b''))
            if kind.count('/') == 1:  # as ROS 1 and some converters write it
                kind = kind.replace('/', '/msg/')
            known = self.topics.get(topic, Topic(topic, kind, False))
            if known.type != kind:
                self._remark(f'{self._path}: {topic} is left out where its type is {kind}')
                return
            if encoding == 'ros1':
                if not self._ros1_messages.define(topic, kind, _definition(BytesIO(rest))):
                    return
                self._ros1[number] = kind
            self._channels[number] = topic
            latched = _latched(BytesIO(read_bytes(record))) or known.latched
            self.topics[topic] = Topic(topic, kind, latched)

    def _within(self, chunk: int, take: Callable[[int, BinaryIO], None]) -> None:
        """Give the records of the chunk at this offset to `take`."""
        self._file.seek(chunk + 9)
        _, _, size, crc = struct.unpack('<QQQI', read_exact(self._file, 28))
        compression = read_string(self._file)
        (stored,) = struct.unpack('<Q', read_exact(self._file, 8))
        data = BytesIO(decompress(read_exact(self._file, stored), compression, size, crc))
        end = 0
        for code, offset, length in _records(data, 0, size):
            data.seek(offset)
            take(code, BytesIO(read_exact(data, length)))
            end = offset + length
        if end != size:
            raise ValueError(f'a record at byte {end} of a chunk is none')

    def _read_chunk(self, chunk: int, wanted: dict[int, str]) -> list[Message]:
        messages: list[Message] = []

        def take(code: int, record: BinaryIO) -> None:
            if code == _MESSAGE:
                messages.extend(self._message(record, wanted))

        self._within(chunk, take)
        return sorted(messages, key=lambda message: message[0])

    def _read_loose(self, offset: int, wanted: dict[int, str]) -> list[Message]:
        self._file.seek(offset - 8)
        (length,) = struct.unpack('<Q', read_exact(self._file, 8))
        return list(self._message(BytesIO(read_exact(self._file, length)), wanted))

    def _message(self, record: BinaryIO, wanted: dict[int, str]) -> Iterator[Message]:
        channel, _, time, _ = struct.unpack('<HIQQ', read_exact(record, 22))
        if channel not in wanted:
            return
        data: bytes | None = record.read()
        if channel in self._ros1:
            data = self._ros1_messages.to_cdr(wanted[channel], self._ros1[channel], data or b'')
        if data is not None:
            yield time, wanted[channel], data


def _records(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Opcode, offset and length of the records from `start` on; ends where one is not whole."""
    while start + 9 <= end:
        file.seek(start)
        code, length = struct.unpack('<BQ', read_exact(file, 9))
        if start + 9 + length > end or not 0 < code <= _LAST:
            return
        yield code, start + 9, length
        start += 9 + length


def _definition(schema: BinaryIO) -> str:
    """The definition behind a schema's name; empty if it cannot be read."""
    try:
        read_bytes(schema)  # the format that it is in
        return read_string(schema)
    except (ReaderError, UnicodeDecodeError):
        return ''


def _latched(metadata: BinaryIO) -> bool:
    """Whether a channel's metadata ask for transient local; what cannot be read does not."""
    try:
        while key := read_string(metadata):
            value = read_string(metadata)
            if key == 'offered_qos_profiles':
                return is_latched(value)
            if key == 'latching':  # of ROS 1
                return value == '1'
    except (ReaderError, UnicodeDecodeError, struct.error):  # none, or none that can be read
        return False
    return False


def is_latched(profiles: str) -> bool:
    """Whether one of rosbag2's offered QoS profiles is transient local."""
    try:
        return any(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in parse_qos(profiles))
    except Exception:  # a profile of a ROS to come
        return False
