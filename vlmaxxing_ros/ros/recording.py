# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A recording's messages as ROS 2 would send them: rosbag2 folders and ROS 1 bags, read by rosbags.

Knows files and serialised messages; knows nothing of rclpy, of pace or of what is in a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection, ConnectionExtRosbag2, QosDurability
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore


class BagError(Exception):
    """A recording that cannot be read; the text says what to do."""


@dataclass(frozen=True)
class Topic:
    """A recorded topic: its name, its type (`sensor_msgs/msg/Image`), if it was latched."""

    name: str
    type: str
    latched: bool


class Recording(AbstractContextManager['Recording']):
    """An open recording.

    Attributes:
        topics: the topics by name: those asked for, or all.

    Raises:
        BagError: no such recording, not one, or without one of the topics asked for.
    """

    def __init__(self, path: Path, topics: tuple[str, ...] = ()) -> None:
        if not path.exists():
            raise BagError(f'{path} does not exist')
        try:
            self._reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY))
            self._reader.open()
        except (AnyReaderError, OSError) as error:
            raise BagError(
                f'{path} is neither a rosbag2 folder (with metadata.yaml) nor a ROS 1 bag: {error}'
            ) from error
        there = sorted(self._reader.topics)
        missing = sorted(set(topics) - set(there))
        if missing:
            self._reader.close()
            raise BagError(
                f'{path} has no topic {", ".join(missing)}; it has {", ".join(there) or "none"}'
            )
        self._connections = [
            connection
            for connection in self._reader.connections
            if not topics or connection.topic in topics
        ]
        self.topics = {
            connection.topic: Topic(connection.topic, connection.msgtype, _latched(connection))
            for connection in self._connections
        }

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()

    def messages(self) -> Iterator[tuple[int, str, bytes]]:
        """Every message in the order of recording: (time of recording in ns, topic, CDR)."""
        types = None if self._reader.is2 else _ros1_types(self._reader.typestore)
        for connection, stamp, data in self._reader.messages(self._connections):
            if types is not None:
                data = bytes(types.ros1_to_cdr(data, connection.msgtype))
            yield stamp, connection.topic, data


def _latched(connection: Connection) -> bool:
    extra = connection.ext
    if isinstance(extra, ConnectionExtRosbag2):
        return any(
            qos.durability == QosDurability.TRANSIENT_LOCAL for qos in extra.offered_qos_profiles
        )
    return bool(extra.latching)


def _ros1_types(recorded: Typestore) -> Typestore:
    """The recording's own definitions, with the header of ROS 2: rosbags skips `seq` itself."""
    header = 'std_msgs/msg/Header'
    definitions = {
        **recorded.fielddefs,
        header: get_typestore(Stores.ROS2_JAZZY).fielddefs[header],
    }
    types = get_typestore(Stores.EMPTY)
    types.register(
        {name: definitions[name] for name in definitions.keys() - types.fielddefs.keys()}
    )
    return types
