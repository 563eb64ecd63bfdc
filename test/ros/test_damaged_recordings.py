# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Recordings as people have them: cut off, without metadata, damaged, compressed.

What is there is read; what is not is said once, with the command that mends it.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
import yaml
from integration.recordings import write_bag
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from vlmaxxing_ros.ros.recording import BagError, Recording, is_recording

IMAGES = 100  # some chunks' worth


def read(path: Path, *topics: str) -> tuple[int, list[str]]:
    """How many images a recording gives, and what is said about it."""
    remarks: list[str] = []
    with Recording(path, topics, remark=remarks.append) as recording:
        stamps = [stamp for stamp, topic, _ in recording.messages() if topic == '/camera/image']
    assert stamps == sorted(stamps)
    return len(stamps), remarks


def record(tmp_path: Path, storage: str) -> tuple[Path, Path]:
    """A recording, and the one file in it that holds the messages."""
    if storage == 'ros1':
        bag = write_bag(tmp_path / 'clip.bag', images=IMAGES, storage=storage)
        return bag, bag
    folder = write_bag(tmp_path / 'clip', images=IMAGES, storage=storage)
    (file,) = [*folder.glob('*.mcap'), *folder.glob('*.db3')]
    return folder, file


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3', 'ros1'])
def test_a_whole_recording_is_read_without_a_word(tmp_path: Path, storage: str) -> None:
    assert read(record(tmp_path, storage)[0]) == (IMAGES, [])


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_file_can_be_read_without_its_folder(tmp_path: Path, storage: str) -> None:
    assert read(record(tmp_path, storage)[1]) == (IMAGES, [])


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_folder_without_metadata_is_read_with_a_remark(tmp_path: Path, storage: str) -> None:
    folder, _ = record(tmp_path, storage)
    (folder / 'metadata.yaml').unlink()
    count, (remark,) = read(folder)
    assert count == IMAGES
    assert 'has no metadata.yaml' in remark
    assert f'ros2 bag reindex {folder}' in remark


@pytest.mark.parametrize('text', ['', 'a: [', 'rosbag2_bagfile_information: 3', '\0\0\0'])
def test_a_folder_whose_metadata_are_broken_is_read_with_a_remark(
    tmp_path: Path, text: str
) -> None:
    folder, _ = record(tmp_path, 'mcap')
    (folder / 'metadata.yaml').write_text(text)
    count, (remark,) = read(folder)
    assert count == IMAGES
    assert 'cannot be read' in remark


@pytest.mark.parametrize('identifier', ['', 'rosbag_v2', None])
@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_the_file_itself_says_what_it_is(
    tmp_path: Path, storage: str, identifier: str | None
) -> None:
    folder, _ = record(tmp_path, storage)
    metadata = yaml.safe_load((folder / 'metadata.yaml').read_text())
    metadata['rosbag2_bagfile_information']['storage_identifier'] = identifier
    (folder / 'metadata.yaml').write_text(yaml.safe_dump(metadata))
    assert read(folder) == (IMAGES, [])


def test_a_file_that_the_metadata_name_and_that_is_gone_is_told(tmp_path: Path) -> None:
    folder, _ = record(tmp_path, 'mcap')
    metadata = yaml.safe_load((folder / 'metadata.yaml').read_text())
    metadata['rosbag2_bagfile_information']['relative_file_paths'].append('clip_1.mcap')
    (folder / 'metadata.yaml').write_text(yaml.safe_dump(metadata))
    count, (remark,) = read(folder)
    assert count == IMAGES
    assert 'has no clip_1.mcap' in remark


@pytest.mark.parametrize('metadata', [True, False])
@pytest.mark.parametrize('storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize('mode', [CompressionMode.MESSAGE, CompressionMode.FILE])
def test_compressed_recordings_are_read_with_and_without_metadata(
    tmp_path: Path, storage: StoragePlugin, mode: CompressionMode, metadata: bool
) -> None:
    types = get_typestore(Stores.ROS2_JAZZY)
    text = types.types['std_msgs/msg/String']
    writer = Writer(tmp_path / 'clip', version=9, storage_plugin=storage)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        topic = writer.add_connection('/camera/image', text.__msgtype__, typestore=types)
        for number in range(5):
            writer.write(topic, number, types.serialize_cdr(text('hello' * 50), text.__msgtype__))
    if not metadata:
        (tmp_path / 'clip' / 'metadata.yaml').unlink()
    with Recording(tmp_path / 'clip') as recording:
        texts = [types.deserialize_cdr(m[2], text.__msgtype__) for m in recording.messages()]
    assert texts == [text('hello' * 50)] * 5


@pytest.mark.parametrize(
    ('storage', 'command'),
    [('mcap', 'mcap recover'), ('sqlite3', '.recover'), ('ros1', 'rosbag reindex')],
)
@pytest.mark.parametrize('kept', [0.9, 0.5])
def test_a_file_that_was_cut_off_is_read_up_to_there(
    tmp_path: Path, storage: str, command: str, kept: float
) -> None:
    folder, file = record(tmp_path, storage)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * kept)])
    count, (remark,) = read(folder)
    assert 0.3 * kept * IMAGES < count < IMAGES
    assert command in remark
    assert str(file) in remark


@pytest.mark.parametrize('storage', ['mcap', 'ros1'])
def test_a_damaged_chunk_costs_its_own_messages_only(tmp_path: Path, storage: str) -> None:
    folder, file = record(tmp_path, storage)
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4] = b'\xff\xff\xff\xff'
    at = data.find(b'optical', middle)  # a header: its record's length stands before it
    data[at - 40 : at + 40] = b'\xff' * 80
    file.write_bytes(data)
    count, remarks = read(folder)
    assert 0.5 * IMAGES < count < IMAGES
    assert any('left out' in remark for remark in remarks)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3', 'ros1'])
@pytest.mark.parametrize('size', [0, 5, 60])
def test_a_file_with_nothing_in_it_is_a_clear_error(
    tmp_path: Path, storage: str, size: int
) -> None:
    folder, file = record(tmp_path, storage)
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(BagError, match=r'empty|no \.mcap|no ROS 1|cut off|database|beginning'):
        Recording(folder)


def test_a_bag_whose_recorder_did_not_end_is_read(tmp_path: Path) -> None:
    bag, _ = record(tmp_path, 'ros1')
    active = tmp_path / 'clip.bag.active'
    data = bytearray(bag.read_bytes())
    # As the recorder leaves it: no index, no counts, a chunk that had only begun.
    for name in (b'index_pos=', b'conn_count=', b'chunk_count='):
        at = data.find(name) + len(name)
        data[at : at + (8 if name == b'index_pos=' else 4)] = bytes(8 if b'index' in name else 4)
    active.write_bytes(data[: int(len(data) * 0.7)])
    count, (remark,) = read(active)
    assert 0.3 * IMAGES < count < IMAGES
    assert f'rosbag reindex {active}' in remark


def test_what_the_recorder_left_in_its_log_is_read(tmp_path: Path) -> None:
    _, file = record(tmp_path, 'sqlite3')
    copy = tmp_path / 'copy' / file.name
    copy.parent.mkdir()
    with sqlite3.connect(file) as database:
        database.execute('PRAGMA journal_mode=WAL')
        row = database.execute('SELECT topic_id, timestamp, data FROM messages WHERE id = 5')
        database.execute(
            'INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)', row.fetchone()
        )
        database.commit()
        for part in file.parent.glob(f'{file.name}*'):
            shutil.copy(part, copy.parent)
    database.close()
    assert read(copy)[0] == IMAGES + 1


@pytest.mark.parametrize('definition', ['', 'no/such/Type field\n', '?!', 'Gone gone\n'])
@pytest.mark.parametrize('storage', ['mcap', 'sqlite3', 'ros1'])
def test_a_bad_definition_of_one_topic_does_not_matter_to_the_others(
    tmp_path: Path, storage: str, definition: str
) -> None:
    path = tmp_path / ('clip.bag' if storage == 'ros1' else 'clip')
    ros1 = storage == 'ros1'
    types = get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_JAZZY)
    text = 'std_msgs/msg/String'
    plugin = StoragePlugin.MCAP if storage == 'mcap' else StoragePlugin.SQLITE3
    writer = Writer1(path) if ros1 else Writer(path, version=9, storage_plugin=plugin)
    with writer:
        strange = {'msgdef': definition, 'md5sum': '0' * 32} if ros1 else {'msgdef': definition}
        if not ros1:
            strange['rihs01'] = 'RIHS01_' + '0' * 64
        odd = writer.add_connection('/odd', 'my_msgs/msg/Odd', **strange)
        good = writer.add_connection('/good', text, typestore=types)
        serialize = types.serialize_ros1 if ros1 else types.serialize_cdr
        for number in range(3):
            data = serialize(types.types[text](f'{number}'), text)
            writer.write(odd, number, data)
            writer.write(good, number, data)
    remarks: list[str] = []
    with Recording(path, remark=remarks.append) as recording:
        topics = [topic for _, topic, _ in recording.messages()]
    assert topics.count('/good') == 3
    if ros1:  # to be converted it would have to be understood
        assert topics.count('/odd') == 0
        assert any('/odd' in remark for remark in remarks)
    else:  # the bytes are what ROS 2 sends
        assert topics.count('/odd') == 3


def test_what_a_recording_is_shows_in_its_name_or_its_beginning(tmp_path: Path) -> None:
    folder, file = record(tmp_path, 'mcap')
    renamed = shutil.copy(file, tmp_path / 'renamed')
    assert is_recording(folder)
    assert is_recording(file)
    assert is_recording(renamed)
    assert not is_recording(Path(__file__))
    assert read(renamed) == (IMAGES, [])
