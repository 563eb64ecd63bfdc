# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A .db3 file: rosbag2's SQLite database, of any version of its schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import quote

from vlmaxxing_ros.ros.storage.base import BagError, Message, Remark, Topic, reason
from vlmaxxing_ros.ros.storage.mcap import is_latched


class Sqlite:
    """An open .db3 file.

    Raises:
        BagError: it is empty, no database, or none of rosbag2's.
    """

    def __init__(self, path: Path, remark: Remark) -> None:
        self._path = path
        self._remark = remark
        if not path.stat().st_size:
            raise BagError(f'{path} is empty: nothing was recorded, or it was not copied')
        log = path.with_name(f'{path.name}-wal')
        # The recorder's log beside the file is part of it; otherwise nothing is locked or written.
        how = 'mode=ro' if log.exists() and log.stat().st_size else 'immutable=1'
        self._database = sqlite3.connect(f'file:{quote(str(path))}?{how}', uri=True)
        self._database.row_factory = sqlite3.Row
        try:
            # Without it SQLite reads nothing of a file that is shorter than it should be.
            self._database.execute('PRAGMA writable_schema = ON')
            rows = self._database.execute('SELECT * FROM topics').fetchall()
            self._database.execute('SELECT id FROM messages LIMIT 1').fetchall()
        except sqlite3.Error as error:
            self._database.close()
            raise BagError(
                f"{path} is not a whole database of rosbag2's ({error}); {self._mend}"
            ) from error
        self._names: dict[int, str] = {}
        self.topics: dict[str, Topic] = {}
        for row in rows:
            if row['serialization_format'] != 'cdr':
                kind = row['serialization_format']
                remark(f'{path}: {row["name"]} is left out: {kind!r}, not CDR')
                continue
            offered = row['offered_qos_profiles'] if 'offered_qos_profiles' in row.keys() else ''  # noqa: SIM118
            name, kind = row['name'], row['type']
            known = self.topics.get(name, Topic(name, kind, False))
            if known.type != kind:
                remark(f'{path}: {name} is left out where its type is {kind}')
                continue
            self._names[row['id']] = name
            self.topics[name] = Topic(name, kind, is_latched(offered or '') or known.latched)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def messages(self, topics: Collection[str]) -> Iterator[Message]:
        """The messages on these topics, in the order of recording."""
        wanted = {number: name for number, name in self._names.items() if name in topics}
        index, why = self._index(wanted)
        lost = 0
        for time, row, number in index:
            try:
                (data,) = self._database.execute(
                    'SELECT data FROM messages WHERE id = ?', (row,)
                ).fetchone()
            except sqlite3.Error as error:
                lost, why = lost + 1, why or reason(error)
            else:
                yield time, wanted[number], data
        if why:
            self._remark(
                f'{self._path} is damaged or cut off ({why}): {len(index) - lost} messages could '
                f'be read; {self._mend}'
            )

    def _index(self, wanted: Collection[int]) -> tuple[list[tuple[int, int, int]], str]:
        """Time, row and topic of the messages, by time; what keeps from reading more of them."""
        found: list[tuple[int, int, int]] = []
        # In the order of the file, which a cut file has up to the cut: no ORDER BY, no index.
        rows = self._database.execute('SELECT timestamp, id, topic_id FROM messages NOT INDEXED')
        why = ''
        try:
            found.extend(tuple(row) for row in rows if row['topic_id'] in wanted)
        except sqlite3.Error as error:
            why = reason(error)
        return sorted(found), why

    @property
    def _mend(self) -> str:
        return f'sqlite3 {self._path} .recover | sqlite3 mended.db3 keeps what is whole'
