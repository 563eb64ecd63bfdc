# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""ROS 1's messages as CDR, by the definitions that were recorded with them.

Knows how ROS 1 serialises; knows nothing of files.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from vlmaxxing_ros.ros.storage.base import Remark, reason

_HEADER = 'std_msgs/msg/Header'


class Ros1Messages:
    """The messages of one recording.

    Args:
        path: of the recording.
        remark: told what cannot be read.
    """

    def __init__(self, path: Path, remark: Remark) -> None:
        self._path = path
        self._remark = remark
        self._types: dict[str, Typestore | None] = {}
        self._unlike: Counter[str] = Counter()  # messages by topic

    def define(self, topic: str, kind: str, definition: str) -> bool:
        """Learn a topic's type (`sensor_msgs/msg/Image`); False if there is no way to read it."""
        if kind not in self._types:
            self._types[kind] = self._types_of(topic, kind, definition)
        return self._types[kind] is not None

    def to_cdr(self, topic: str, kind: str, data: bytes) -> bytes | None:
        """A message of a type that was defined; None if it is none."""
        types = self._types[kind]
        try:
            return bytes(types.ros1_to_cdr(data, kind)) if types else None
        except Exception:  # damaged bytes raise whatever they look like
            self._unlike[topic] += 1
            return None

    def tell(self) -> None:
        """Remark upon the messages that could not be read since."""
        for topic, count in self._unlike.items():
            self._remark(
                f'{self._path}: {count} messages on {topic} are left out: they are not what its '
                'definition says'
            )
        self._unlike.clear()

    def _types_of(self, topic: str, kind: str, definition: str) -> Typestore | None:
        """As recorded, or as ROS 2 has them."""
        known = get_typestore(Stores.ROS2_JAZZY).fielddefs
        try:
            types = get_typestore(Stores.EMPTY)
            recorded = get_types_from_msg(definition, kind)
            # With the header of ROS 2: rosbags skips `seq` itself.
            recorded[_HEADER] = known[_HEADER]
            recorded['builtin_interfaces/msg/Time'] = known['builtin_interfaces/msg/Time']
            types.register({k: v for k, v in recorded.items() if k not in types.fielddefs})
            types.get_msgdef(kind)
        except Exception as error:  # a definition that cannot be parsed raises whatever it likes
            if kind in known:
                return get_typestore(Stores.ROS2_JAZZY)
            self._remark(
                f'{self._path}: {topic} is left out: the definition of {kind} cannot be read '
                f'({reason(error)})'
            )
            return None
        return types
