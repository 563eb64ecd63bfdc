# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A recording's messages as ROS 2 would send them: rosbag2 folders and files, ROS 1 bags.

Knows which files belong together; knows nothing of rclpy, of pace or of what is in a message.
"""

from __future__ import annotations

import heapq
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import yaml
from rosbags.rosbag2.storage_mcap import zstd

from vlmaxxing_ros.ros.storage.base import BagError, Message, Remark, Storage, Topic, reason
from vlmaxxing_ros.ros.storage.mcap import Mcap
from vlmaxxing_ros.ros.storage.ros1 import Ros1
from vlmaxxing_ros.ros.storage.sqlite import Sqlite

__all__ = ['BagError', 'Recording', 'Topic', 'is_recording']

_ZSTD = b'\x28\xb5\x2f\xfd'  # no CDR begins like this: its first byte is 0
_FORMATS: dict[bytes, Callable[[Path, Remark], Storage]] = {
    b'\x89MCAP': Mcap,
    b'SQLite format 3': Sqlite,
    b'#ROSBAG': Ros1,
}
_SUFFIXES: dict[str, Callable[[Path, Remark], Storage]] = {
    '.mcap': Mcap,
    '.db3': Sqlite,
    '.bag': Ros1,
    '.active': Ros1,
}
_METADATA = 'metadata.yaml'
_PATTERNS = ('*.mcap', '*.db3', '*.mcap.zstd', '*.db3.zstd', '*.bag', '*.bag.active')


def is_recording(path: Path) -> bool:
    """Whether this is a folder or a file of messages, sound or not, by its name or beginning."""
    if path.is_dir() or path.suffix in _SUFFIXES or path.name == _METADATA:
        return True
    with suppress(OSError), path.open('rb') as file:
        return file.read(16).startswith(tuple(_FORMATS))
    return False


class Recording(AbstractContextManager['Recording']):
    """An open recording.

    Args:
        path: a folder of rosbag2, one of its files, or a ROS 1 bag.
        topics: only these; none: all.
        remark: told once whatever cannot be read, and what to do about it.

    Attributes:
        topics: the topics by name: those asked for, or all.

    Raises:
        BagError: no such recording, not one, or without one of the topics asked for.
    """

    def __init__(
        self,
        path: Path,
        topics: Collection[str] = (),
        *,
        remark: Remark = lambda _: None,
    ) -> None:
        if not path.exists():
            raise BagError(f'{path} does not exist')
        path = path.parent if path.name == _METADATA else path
        self._tell = remark
        self._told: set[str] = set()
        self._open = ExitStack()
        try:
            self._storages = self._open_files(path)
            there: dict[str, Topic] = {}
            for storage in self._storages:
                for name, topic in storage.topics.items():
                    known = there.setdefault(name, topic)
                    if topic.type != known.type:
                        if not topics or name in topics:
                            self._remark(
                                f'{path}: {name} is left out where its type is {topic.type}'
                            )
                    elif topic.latched:  # by one of its publishers
                        there[name] = topic
            if missing := sorted(set(topics) - there.keys()):
                names = ', '.join(sorted(there)) or 'none'
                raise BagError(f'{path} has no topic {", ".join(missing)}; it has {names}')
        except BaseException:
            self._open.close()
            raise
        self.topics = {name: there[name] for name in there if not topics or name in topics}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def messages(self, topics: Collection[str] = ()) -> Iterator[Message]:
        """Every message on these topics (all if none is named), in the order of recording."""
        wanted = {name: self.topics[name] for name in topics or self.topics}
        lost: Counter[str] = Counter()
        sources = []
        for storage in self._storages:
            types = {name: topic.type for name, topic in storage.topics.items()}
            ours = {name for name, topic in wanted.items() if types.get(name) == topic.type}
            if ours:
                sources.append(storage.messages(ours))
        for time, topic, data in heapq.merge(*sources, key=lambda message: message[0]):
            if data[:4] == _ZSTD:  # compressed by the message, whatever the metadata say
                try:
                    data = zstd.decompress(data)
                except zstd.ZstdError:
                    lost[topic] += 1
                    continue
            yield time, topic, data
        for topic, count in lost.items():
            self._remark(f'{topic}: {count} messages are damaged and left out')

    def _remark(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(text)

    def _open_files(self, path: Path) -> list[Storage]:
        """Open what belongs to the recording; what cannot be is an error only if nothing can.

        Raises:
            BagError: there is nothing that can be read.
        """
        files = self._files(path) if path.is_dir() else [path]
        storages, errors = [], []
        for file in files:
            try:
                storages.append(self._open_file(file))
            except BagError as error:
                errors.append(str(error))
            except Exception as error:  # damaged bytes raise whatever they look like
                errors.append(f'{file} cannot be read: {reason(error)}')
        if not storages:
            raise BagError(errors[0])
        for text in errors:
            self._remark(text)
        return storages

    def _open_file(self, file: Path) -> Storage:
        with file.open('rb') as opened:
            beginning = opened.read(16)
        if beginning.startswith(_ZSTD):
            file = self._decompressed(file)
            return self._open_file(file)
        kinds = [kind for magic, kind in _FORMATS.items() if beginning.startswith(magic)]
        if not kinds and file.suffix not in _SUFFIXES:
            raise BagError(
                f'{file} is neither a rosbag2 folder, a .mcap or .db3 file nor a ROS 1 bag'
            )
        storage = (kinds or [_SUFFIXES[file.suffix]])[0](file, self._remark)
        self._open.callback(storage.close)
        return storage

    def _decompressed(self, file: Path) -> Path:
        """A compressed file's content, kept until the recording is closed; all that there is."""
        folder = Path(self._open.enter_context(TemporaryDirectory(prefix='vlmaxxing_')))
        plain = folder / file.name.removesuffix('.zstd')
        with zstd.open(file, 'rb') as packed, plain.open('wb') as unpacked:
            try:
                shutil.copyfileobj(packed, unpacked)
            except (EOFError, zstd.ZstdError) as error:
                self._remark(f'{file} is damaged or cut off ({reason(error)})')
        return plain

    def _files(self, folder: Path) -> list[Path]:
        """The files of a folder: those that its metadata.yaml names, or all there are."""
        there = sorted({file for pattern in _PATTERNS for file in folder.glob(pattern)})
        mend = f'ros2 bag reindex {folder} writes it anew'
        try:
            text = (folder / _METADATA).read_text(encoding='utf-8', errors='replace')
            about: Any = yaml.safe_load(text)
            names = about['rosbag2_bagfile_information']['relative_file_paths']
            named = [folder / PurePath(name).name for name in names]
        except FileNotFoundError:
            named = there
            if there:
                self._remark(f'{folder} has no metadata.yaml: its files are read; {mend}')
        except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
            named = there
            self._remark(
                f"{folder}/metadata.yaml cannot be read ({reason(error)}): the folder's files "
                f'are; {mend}'
            )
        if missing := [file.name for file in named if not file.exists()]:
            self._remark(f'{folder} has no {", ".join(missing)}, which its metadata.yaml names')
        files = [file for file in named if file.exists()] or there
        if not files:
            raise BagError(
                f'{folder} is neither a rosbag2 folder nor a ROS 1 bag: it has no .mcap, .db3 or '
                f'.bag file in it{_hint(folder)}'
            )
        return files


def _hint(folder: Path) -> str:
    """What a folder without recordings holds that was perhaps meant, for people."""
    inside = sorted(file.parent.name for p in _PATTERNS for file in folder.glob(f'*/{p}'))
    if inside:
        return f'; but these folders in it have: {", ".join(dict.fromkeys(inside))}'
    for kind in ('png', 'jpg', 'jpeg'):
        if any(folder.glob(f'*.{kind}')):
            return (
                f"; ffmpeg -framerate 10 -pattern_type glob -i '{folder}/*.{kind}' clip.mp4 makes "
                'a video of its images'
            )
    return ''
