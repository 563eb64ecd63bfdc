# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A ROS 1 bag, its messages converted to CDR: by its index, or chunk by chunk without one.

A bag whose recorder did not end (`.bag.active`) has no index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path

from rosbags.interfaces import Connection, ConnectionExtRosbag1
from rosbags.rosbag1 import Reader, ReaderError
from rosbags.rosbag1.reader import Header, RecordType, decompressors, read_bytes, read_uint32

from vlmaxxing_ros.ros.storage.base import (
    BagError,
    Message,
    Part,
    Remark,
    Topic,
    check_beginning,
    merged,
    reason,
)
from vlmaxxing_ros.ros.storage.ros1_messages import Ros1Messages

_MAGIC = b'#ROSBAG V2.0\n'


class Ros1:
    """An open ROS 1 bag.

    Raises:
        BagError: it is empty, no bag of version 2.0, or without any chunk.
    """

    def __init__(self, path: Path, remark: Remark) -> None:
        self._path = path
        self._remark = remark
        self._chunks: dict[int, int] = {}  # offset: start in ns
        self._connections: dict[int, Connection] = {}
        self._messages = Ros1Messages(path, remark)
        self._file = path.open('rb')
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise
        self.topics: dict[str, Topic] = {}
        self._sound: set[int] = set()  # connections whose messages are read
        for number, connection in self._connections.items():
            self._note(number, connection)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def messages(self, topics: Collection[str]) -> Iterator[Message]:
        """The messages on these topics, in the order of recording, as CDR."""
        topics = {topic for topic in topics if topic in self.topics}
        parts = [
            Part(start, partial(self._read, offset, topics))
            for offset, start in self._chunks.items()
        ]
        yield from merged(parts, self._damaged)
        self._messages.tell()

    def _damaged(self, count: int, why: str) -> None:
        self._remark(
            f'{self._path}: {count} of {len(self._chunks)} chunks are damaged and left out '
            f'({why}); rosbag reindex {self._path} keeps what is whole'
        )

    def _open(self) -> None:
        check_beginning(self._file, _MAGIC, self._path, 'ROS 1 bag of version 2.0')
        try:
            header = Header.read(self._file, RecordType.BAGHEADER)
        except ReaderError as error:
            raise BagError(f'{self._path} is damaged at its beginning: {reason(error)}') from error
        if header.get('encryptor'):
            raise BagError(f'{self._path} is encrypted: decrypt it with rosbag decrypt')
        reader = Reader(self._path)
        try:
            reader.open()
        except Exception as error:  # damaged bytes raise whatever they look like
            self._scan(reason(error))
        else:
            self._chunks = {info.pos: info.start_time for info in reader.chunk_infos}
            self._connections = {connection.id: connection for connection in reader.connections}
            reader.close()
        if not self._connections:
            raise BagError(
                f'{self._path} holds no topic: it was cut off before its first chunk was written'
            )

    def _note(self, number: int, connection: Connection) -> None:
        """Remember what a connection sends; a topic has one for each of its publishers."""
        topic, kind, ext = connection.topic, connection.msgtype, connection.ext
        known = self.topics.get(topic, Topic(topic, kind, False))
        if known.type != kind:
            self._remark(f'{self._path}: {topic} is left out where its type is {kind}')
            return
        if self._messages.define(topic, kind, connection.msgdef.data):
            self._sound.add(number)
            latched = isinstance(ext, ConnectionExtRosbag1) and bool(ext.latching)
            self.topics[topic] = Topic(topic, kind, latched or known.latched)

    def _scan(self, why: str) -> None:
        """Find the chunks without an index, up to where the file was cut off."""
        offset = len(_MAGIC)
        with suppress(ReaderError):
            while True:
                self._file.seek(offset)
                header = Header.read(self._file)
                size = read_uint32(self._file)
                after = self._file.tell() + size
                if header.get_uint8('op') == RecordType.CHUNK:
                    read_bytes(self._file, size)  # all of it, or it was cut off here
                    with suppress(Exception):  # told when its messages are wanted
                        times = [time for time, _, _ in self._records(offset)]
                        self._chunks[offset] = min(times, default=0)
                offset = after
        self._remark(
            f'{self._path} has no sound index ({why}): the recorder did not end properly, or the '
            f'copy is not complete.  What is there is read; rosbag reindex {self._path} makes a '
            'whole bag of it'
        )

    def _records(self, chunk: int) -> list[tuple[int, int, bytes]]:
        """Time, connection and data of a chunk's messages; its connections are remembered."""
        self._file.seek(chunk)
        header = Header.read(self._file, RecordType.CHUNK)
        stored = read_bytes(self._file, read_uint32(self._file))
        inside = BytesIO(decompressors[header.get_string('compression')](stored))
        size = inside.seek(0, 2)
        inside.seek(0)
        found = []
        while (start := inside.tell()) < size:
            header = Header.read(inside)
            data = read_bytes(inside, read_uint32(inside))
            number = header.get_uint32('conn')
            if header.get_uint8('op') == RecordType.MSGDATA:
                found.append((header.get_time('time'), number, data))
            elif number not in self._connections:
                reader = Reader(self._path)
                reader.bio = BytesIO(inside.getvalue()[start:])
                self._connections[number] = reader.read_connection()
        return found

    def _read(self, chunk: int, topics: Collection[str]) -> list[Message]:
        messages = []
        for time, number, data in self._records(chunk):
            connection = self._connections[number]
            if number not in self._sound or connection.topic not in topics:
                continue
            cdr = self._messages.to_cdr(connection.topic, connection.msgtype, data)
            if cdr is not None:
                messages.append((time, connection.topic, cdr))
        return sorted(messages, key=lambda message: message[0])
