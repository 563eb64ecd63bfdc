# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Recordings of every kind come out as the same ROS 2 messages."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from integration.recordings import START, latched_qos, scene, write_bag
from rclpy.serialization import deserialize_message
from rosbags.rosbag1 import Reader
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import Image
from std_msgs.msg import String

from vlmaxxing_ros.ros.images import to_rgb
from vlmaxxing_ros.ros.recording import BagError, Recording, Topic


def recorded(tmp_path: Path, storage: str) -> Path:
    if storage == 'converted':
        return converted(recorded(tmp_path, 'ros1'))
    name = 'clip.bag' if storage == 'ros1' else 'clip'
    return write_bag(tmp_path / name, images=5, storage=storage)


def converted(bag: Path) -> Path:
    """The .mcap file that `mcap convert` makes of a ROS 1 bag: its messages as they were."""

    def text(value: str | bytes) -> bytes:
        data = value.encode() if isinstance(value, str) else value
        return struct.pack('<I', len(data)) + data

    def record(code: int, *parts: bytes) -> bytes:
        body = b''.join(parts)
        return struct.pack('<BQ', code, len(body)) + body

    written = [b'\x89MCAP0\r\n', record(0x01, text('ros1'), text(''))]
    with Reader(bag) as reader:
        for c in reader.connections:
            name, number = c.msgtype.replace('/msg/', '/'), struct.pack('<H', c.id + 1)
            written += [
                record(0x03, number, text(name), text('ros1msg'), text(c.msgdef.data)),
                record(
                    0x04,
                    2 * number,
                    text(c.topic),
                    text('ros1'),
                    text(text('latching') + text(str(c.ext.latching))),
                ),
            ]
        for c, time, data in reader.messages():
            written.append(record(0x05, struct.pack('<HIQQ', c.id + 1, 0, time, time), data))
    path = bag.with_suffix('.mcap')
    path.write_bytes(b''.join((*written, record(0x0F, bytes(4)))))
    return path


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3', 'ros1', 'converted'])
def test_messages_are_what_was_recorded(tmp_path: Path, storage: str) -> None:
    with Recording(recorded(tmp_path, storage)) as recording:
        assert recording.topics == {
            '/note': Topic('/note', 'std_msgs/msg/String', latched=True),
            '/camera/image': Topic('/camera/image', 'sensor_msgs/msg/Image', latched=False),
        }
        messages = list(recording.messages())
    assert [topic for _, topic, _ in messages] == ['/note'] + ['/camera/image'] * 5
    for index, (stamp, _, data) in enumerate(messages[1:]):
        image = deserialize_message(data, Image)
        assert stamp == START + index * 100_000_000
        assert image.header.stamp.sec * 10**9 + image.header.stamp.nanosec == stamp
        assert image.header.frame_id == 'optical'
        np.testing.assert_array_equal(to_rgb(image), scene(index))


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('first', [True, False])
def test_files_of_one_bag_may_offer_a_topic_differently(
    tmp_path: Path, storage: str, first: bool
) -> None:
    plugin = StoragePlugin.MCAP if storage == 'mcap' else StoragePlugin.SQLITE3
    types = get_typestore(Stores.ROS2_JAZZY)
    text = types.types['std_msgs/msg/String']
    (tmp_path / 'clip').mkdir()
    for index, latched in enumerate([first, not first]):
        offered = [latched_qos()] if latched else []
        with Writer(tmp_path / f'{index}', version=9, storage_plugin=plugin) as writer:
            note = writer.add_connection(
                '/note', text.__msgtype__, typestore=types, offered_qos_profiles=offered
            )
            writer.write(note, START + index, types.serialize_cdr(text('hi'), text.__msgtype__))
        (file,) = (tmp_path / f'{index}').glob(f'{index}*.*')
        file.rename(tmp_path / 'clip' / file.name)
    with Recording(tmp_path / 'clip') as recording:
        assert recording.topics['/note'].latched
        assert [time for time, _, _ in recording.messages()] == [START, START + 1]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3', 'ros1'])
@pytest.mark.parametrize('first', [True, False])
def test_publishers_of_one_topic_may_differ(tmp_path: Path, storage: str, first: bool) -> None:
    ros1 = storage == 'ros1'
    types = get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_JAZZY)
    serialize = types.serialize_ros1 if ros1 else types.serialize_cdr
    text, flag = types.types['std_msgs/msg/String'], types.types['std_msgs/msg/Bool']
    plugin = StoragePlugin.MCAP if storage == 'mcap' else StoragePlugin.SQLITE3
    path = tmp_path / ('clip.bag' if ros1 else 'clip')
    sent = [(text('hi'), first), (flag(True), False), (text('ho'), not first)]
    with Writer1(path) if ros1 else Writer(path, version=9, storage_plugin=plugin) as writer:
        for time, (message, latched) in enumerate(sent):
            kind = message.__msgtype__
            offers = {'callerid': f'/{time}', 'latching': int(latched)}
            if not ros1:
                offers = {'offered_qos_profiles': [latched_qos()] if latched else []}
            connection = writer.add_connection('/note', kind, typestore=types, **offers)
            writer.write(connection, START + time, serialize(message, kind))
    said: list[str] = []
    with Recording(path, remark=said.append) as recording:
        assert recording.topics == {'/note': Topic('/note', 'std_msgs/msg/String', latched=True)}
        read = [deserialize_message(data, String).data for _, _, data in recording.messages()]
    assert read == ['hi', 'ho']
    (remark,) = said
    assert remark.endswith('/note is left out where its type is std_msgs/msg/Bool')


def test_a_topic_that_changes_its_type_between_files_is_told(tmp_path: Path) -> None:
    clip = write_bag(tmp_path / 'clip', images=2)
    types = get_typestore(Stores.ROS2_JAZZY)
    flag = types.types['std_msgs/msg/Bool']
    plugin = StoragePlugin.SQLITE3
    with Writer(tmp_path / 'other', version=9, storage_plugin=plugin) as writer:
        note = writer.add_connection('/note', flag.__msgtype__, typestore=types)
        writer.write(note, START, types.serialize_cdr(flag(True), flag.__msgtype__))
    folder = tmp_path / 'both'
    folder.mkdir()
    (clip / 'clip.mcap').rename(folder / 'a.mcap')
    (tmp_path / 'other' / 'other.db3').rename(folder / 'b.db3')
    said: list[str] = []
    with Recording(folder, remark=said.append) as recording:
        found = list(recording.messages())
    assert len(found) == 3
    assert any('/note is left out where its type is' in text for text in said)
    said.clear()
    with Recording(folder, ('/camera/image',), remark=said.append) as recording:
        assert len(list(recording.messages())) == 2
    assert not any('/note' in text for text in said), 'nobody asked for it'


def test_a_recording_can_be_read_again_and_by_topic(tmp_path: Path) -> None:
    with Recording(recorded(tmp_path, 'mcap'), ('/camera/image',)) as recording:
        assert list(recording.topics) == ['/camera/image']
        assert list(recording.messages()) == list(recording.messages())


def test_a_missing_recording_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BagError, match='does not exist'):
        Recording(tmp_path / 'nothing')


def test_a_folder_that_is_no_recording_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r'neither a rosbag2 folder nor a ROS 1 bag.*in it$'):
        Recording(tmp_path)


def test_a_folder_of_recordings_names_them(tmp_path: Path) -> None:
    recorded(tmp_path, 'mcap')
    with pytest.raises(BagError, match='these folders in it have: clip'):
        Recording(tmp_path)


def test_a_folder_of_images_is_told_how_to_become_a_video(tmp_path: Path) -> None:
    (tmp_path / '0001.jpg').touch()
    with pytest.raises(BagError, match=r"glob -i '.*/\*\.jpg' clip\.mp4 makes a video"):
        Recording(tmp_path)


def test_the_metadata_s_file_stands_for_its_folder(tmp_path: Path) -> None:
    folder = recorded(tmp_path, 'sqlite3')
    with Recording(folder) as whole, Recording(folder / 'metadata.yaml') as named:
        assert list(named.messages()) == list(whole.messages())


def test_a_message_of_ros_1_that_is_none_is_left_out_and_told(tmp_path: Path) -> None:
    path = recorded(tmp_path, 'converted')
    data = bytearray(path.read_bytes())
    at = data.index(b'optical') - 4
    data[at : at + 4] = b'\xff\xff\xff\x7f'  # the first image's frame id is too long
    path.write_bytes(data)
    said: list[str] = []
    with Recording(path, remark=said.append) as recording:
        assert len(list(recording.messages())) == 5
    assert said == [
        f'{path}: 1 messages on /camera/image are left out: they are not what its definition says'
    ]


def test_a_broken_ros1_bag_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / 'broken.bag').write_bytes(b'#ROSBAG V2.0\n' + bytes(100))
    with pytest.raises(BagError, match='damaged at its beginning'):
        Recording(tmp_path / 'broken.bag')


def test_a_missing_topic_is_an_error_that_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r'no topic /other; it has /camera/image, /note'):
        Recording(recorded(tmp_path, 'mcap'), ('/other',))
