# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A ROS 1 bag, its messages converted to CDR: by its index, or chunk by chunk without one.

A bag whose recorder did not end (`.bag.active`) has no index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path

from rosbags.interfaces import Connection, ConnectionExtRosbag1
from rosbags.rosbag1 import Reader, ReaderError
from rosbags.rosbag1.reader import Header, RecordType, decompressors, read_bytes, read_uint32
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

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

_MAGIC = b'#ROSBAG V2.0\n'
_HEADER = 'std_msgs/msg/Header'


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
        self._unlike: Counter[str] = Counter()  # messages by topic
        self._file = path.open('rb')
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise
        self._types = {
            connection.msgtype: self._definition(connection)
            for connection in self._connections.values()
        }
        self.topics = {
            connection.topic: Topic(
                connection.topic,
                connection.msgtype,
                isinstance(connection.ext, ConnectionExtRosbag1) and bool(connection.ext.latching),
            )
            for connection in self._connections.values()
            if self._types[connection.msgtype]
        }

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
        for topic, count in self._unlike.items():
            self._remark(
                f'{self._path}: {count} messages on {topic} are left out: they are not what its '
                'definition says'
            )
        self._unlike.clear()

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
            types = self._types.get(connection.msgtype)
            if connection.topic not in topics or types is None:
                continue
            try:
                cdr = bytes(types.ros1_to_cdr(data, connection.msgtype))
            except Exception:  # damaged bytes raise whatever they look like
                self._unlike[connection.topic] += 1
            else:
                messages.append((time, connection.topic, cdr))
        return sorted(messages, key=lambda message: message[0])

    def _definition(self, connection: Connection) -> Typestore | None:
        """A topic's types, as recorded or as ROS 2 has them; None if there is no way to read it."""
        known = get_typestore(Stores.ROS2_JAZZY).fielddefs
        try:
            types = get_typestore(Stores.EMPTY)
            recorded = get_types_from_msg(connection.msgdef.data, connection.msgtype)
            # With the header of ROS 2: rosbags skips `seq` itself.
            recorded[_HEADER] = known[_HEADER]
            recorded['builtin_interfaces/msg/Time'] = known['builtin_interfaces/msg/Time']
            types.register({k: v for k, v in recorded.items() if k not in types.fielddefs})
            types.get_msgdef(connection.msgtype)
        except Exception as error:  # a definition that cannot be parsed raises whatever it likes
            if connection.msgtype in known:
                return get_typestore(Stores.ROS2_JAZZY)
            self._remark(
                f'{self._path}: {connection.topic} is left out: the definition of '
                f'{connection.msgtype} cannot be read ({reason(error)})'
            )
            return None
        return types
