# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Every kind of recording gives the same images, with their own stamps."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rosbags.rosbag1 import Writer
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore

from vlmaxxing_ros.demo.recordings import START, write_recording
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.evaluation.errors import RecordingError
from vlmaxxing_ros.evaluation.image_types import COMPRESSED, FOXGLOVE, IMAGE, image_types
from vlmaxxing_ros.evaluation.recordings import StampedImage, read_images
from vlmaxxing_ros.ros.images import Scaling
from vlmaxxing_ros.ros.video_stream import PACKET


def test_a_rosbag2_folder_gives_its_images_with_the_headers_stamps(
    recording: Path, images: list[StampedImage]
) -> None:
    read = list(read_images(recording))
    assert [image.stamp - START for image in read] == [image.stamp for image in images]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(read, images, strict=True))
    assert read[0].frame_id == 'camera'


def test_the_mcap_file_inside_can_be_given_itself(recording: Path) -> None:
    (file,) = recording.glob('*.mcap')
    assert len(list(read_images(file))) == 25


def test_compressed_images_in_a_db3_file_are_decoded(world: Tabletop, tmp_path: Path) -> None:
    folder = tmp_path / 'jpeg'
    write_recording(folder, world, fps=2.0, storage='sqlite3', transport='compressed')
    (file,) = folder.glob('*.db3')
    first = next(read_images(file))
    difference = np.abs(first.pixels.astype(int) - world.render(0.0).astype(int))
    assert difference.mean() < 4


def test_a_ros_1_bag_is_read(tmp_path: Path) -> None:
    types = get_typestore(Stores.ROS1_NOETIC)
    message = types.types['sensor_msgs/msg/Image']
    header, stamp = types.types['std_msgs/msg/Header'], types.types['builtin_interfaces/msg/Time']
    with Writer(tmp_path / 'old.bag') as writer:
        topic = writer.add_connection('/cam/image_raw', message.__msgtype__, typestore=types)
        for n in range(3):
            head = header(n, stamp(5, n), 'lens')
            pixels = np.full(2 * 4 * 3, n, np.uint8)
            data = types.serialize_ros1(
                message(head, 2, 4, 'bgr8', 0, 12, pixels), message.__msgtype__
            )
            writer.write(topic, n + 1, data)
    read = list(read_images(tmp_path / 'old.bag'))
    assert [image.stamp for image in read] == [5_000_000_000, 5_000_000_001, 5_000_000_002]
    assert [int(image.pixels[0, 0, 0]) for image in read] == [0, 1, 2]


def bag(folder: Path, *messages: tuple[str, object], stamps: Iterable[int]) -> Path:
    """A recording of (kind, message of ROS 2) at these times, on /camera/image."""
    types = get_typestore(Stores.ROS2_JAZZY)
    with Writer2(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topics: dict[str, Any] = {}
        for (kind, message), stamp in zip(messages, stamps, strict=True):
            if kind not in topics:
                topics[kind] = writer.add_connection('/camera/image', kind, typestore=types)
            data = message if isinstance(message, bytes) else types.serialize_cdr(message, kind)
            writer.write(topics[kind], stamp, data)
    return folder


def image(stamp: int, level: int = 0, *, encoding: str = 'rgb8', short: int = 0) -> tuple[str, Any]:
    """A message of 4x2 pixels, its data too short by `short` bytes."""
    types = get_typestore(Stores.ROS2_JAZZY).types
    head = types['std_msgs/msg/Header'](
        types['builtin_interfaces/msg/Time'](*divmod(stamp, 10**9)), 'lens'
    )
    step = 4 * {'rgb8': 3, 'mono16': 2}[encoding]
    data = np.full(2 * step - short, level, np.uint8)
    return IMAGE, types[IMAGE](head, 2, 4, encoding, 0, step, data)


@pytest.mark.parametrize('stamp', [0, 1_700_000_000_000_000_000])
def test_without_stamps_the_recording_s_own_times_are_taken(tmp_path: Path, stamp: int) -> None:
    times = [5_000_000_000 + n * 100_000_000 for n in range(8)]
    folder = bag(tmp_path / 'clip', *(image(stamp, n) for n in range(8)), stamps=times)
    images = read_images(folder)
    assert [one.stamp for one in images] == times
    assert images.dropped == {}
    (remark,) = images.remarks
    assert 'does the driver set the stamps?' in remark


def test_a_simulation_may_begin_at_zero(tmp_path: Path) -> None:
    stamps = [n * 100_000_000 for n in range(8)]
    folder = bag(tmp_path / 'clip', *map(image, stamps), stamps=[s + 7 for s in stamps])
    images = read_images(folder)
    assert [one.stamp for one in images] == stamps
    assert images.remarks == []


def test_what_the_node_would_drop_is_dropped_and_counted(tmp_path: Path) -> None:
    stamps = [(n + 1) * 100_000_000 for n in range(8)]
    messages = [image(stamp) for stamp in stamps]
    messages[2] = image(stamps[2], short=1)
    messages[3] = image(stamps[3], short=2)
    messages[5] = image(stamps[4])
    messages[6] = (IMAGE, b'\0\1\0\0 no image')
    images = read_images(bag(tmp_path / 'clip', *messages, stamps=stamps))
    assert [one.stamp for one in images] == [stamps[n] for n in (0, 1, 4, 7)]
    reasons = images.dropped
    assert reasons.pop('same stamp as the image before') == 1
    assert reasons.pop('not a message of its type') == 1
    ((reason, count),) = reasons.items()
    assert count == 2
    assert 'data holds 23 bytes' in reason


def test_a_recording_without_images_is_an_error_that_says_so(tmp_path: Path) -> None:
    types = get_typestore(Stores.ROS2_JAZZY)
    with Writer2(tmp_path / 'quiet', version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        writer.add_connection('/camera/image', IMAGE, typestore=types)
    with pytest.raises(RecordingError, match='quiet holds no image'):
        next(read_images(tmp_path / 'quiet'))
    with Writer2(tmp_path / 'empty', version=9, storage_plugin=StoragePlugin.SQLITE3):
        pass
    with pytest.raises(RecordingError, match='no topic with images; it has no topic at all'):
        next(read_images(tmp_path / 'empty'))
    text = types.types['std_msgs/msg/String']('no image')
    other = bag(tmp_path / 'other', ('std_msgs/msg/String', text), stamps=[1])
    with pytest.raises(RecordingError, match=r'it has /camera/image \(std_msgs/msg/String\)'):
        next(read_images(other))


def test_if_no_image_can_be_used_the_reason_is_told(tmp_path: Path) -> None:
    stamps = [(n + 1) * 100_000_000 for n in range(3)]
    folder = bag(tmp_path / 'clip', *(image(s, encoding='mono16') for s in stamps), stamps=stamps)
    with pytest.raises(RecordingError, match=r'none of 3 .* give --set mono16_range=LOW,HIGH'):
        next(read_images(folder))
    scaling = Scaling(mono16_range=(0, 257))
    assert len(list(read_images(folder, scaling=scaling))) == 3


@pytest.mark.parametrize('kind', [COMPRESSED, PACKET, FOXGLOVE[1]])
def test_video_on_a_topic_is_decoded_packet_by_packet(tmp_path: Path, kind: str) -> None:
    av = pytest.importorskip('av', reason='needs PyAV')
    encoder = av.CodecContext.create('libx264', 'w')
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, 'yuv420p'
    encoder.framerate, encoder.gop_size = 10, 5
    encoder.options = {'tune': 'zerolatency', 'x264-params': 'scenecut=0'}
    packets = []
    for number in range(12):
        level = np.full((48, 64, 3), 20 * number, np.uint8)
        frame = av.VideoFrame.from_ndarray(level, format='rgb24')
        frame.pts = number
        packets += map(bytes, encoder.encode(frame))
    store = image_types()
    types, stamps = store.types, [(n + 1) * 100_000_000 for n in range(12)]
    time, header = types['builtin_interfaces/msg/Time'], types['std_msgs/msg/Header']
    with Writer2(tmp_path / 'clip', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topic = writer.add_connection('/camera/image', kind, typestore=store)
        for number, (stamp, data) in enumerate(zip(stamps, packets, strict=True)):
            if number in (0, 7):  # it was joined in its middle, and a packet was lost
                continue
            head, pixels = (
                header(time(*divmod(stamp, 10**9)), 'lens'),
                np.frombuffer(data, np.uint8),
            )
            fields: dict[str, tuple[Any, ...]] = {
                COMPRESSED: (head, 'h264', pixels),
                PACKET: (head, 64, 48, 'libx264', number, number % 5 == 0, False, pixels),
                FOXGLOVE[1]: (head.stamp, head.frame_id, pixels, 'h264'),
            }
            message = types[kind](*fields[kind])
            writer.write(topic, stamp, store.serialize_cdr(message, kind))
    images = read_images(tmp_path / 'clip')
    seen = {image.stamp // 100_000_000 - 1: image for image in images}
    assert sorted(seen) == [5, 6, 10, 11]
    for number, image in seen.items():
        assert image.pixels.mean() == pytest.approx(20 * number, abs=4)
        assert image.frame_id == 'lens'
    assert sorted(images.dropped.values()) == [2, 4]


def test_a_topic_s_neighbour_is_named(world: Tabletop, tmp_path: Path) -> None:
    folder = tmp_path / 'jpeg'
    write_recording(folder, world, fps=2.0, transport='compressed')
    with pytest.raises(RecordingError, match=r'did you mean /camera/image/compressed\?'):
        next(read_images(folder, topic='/camera/image'))


def test_a_video_has_the_container_s_own_times(tmp_path: Path) -> None:
    av = pytest.importorskip('av', reason='needs PyAV to write one')
    path = tmp_path / 'clip.mp4'
    times = [0, 33, 66, 100, 900, 950, 2500, 2600, 4000]  # ms
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times):
            level = np.full((48, 64, 3), 25 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(level, format='rgb24')
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    read = list(read_images(path))
    assert [one.stamp for one in read] == [time * 1_000_000 for time in times]
    for number, one in enumerate(read):
        assert one.pixels.mean() == pytest.approx(25 * number, abs=4)


def test_a_video_that_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (64, 48))
    noise = np.random.default_rng(0).integers(0, 256, (20, 48, 64, 3), dtype=np.uint8)
    for pixels in noise:
        writer.write(pixels)
    writer.release()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    images = read_images(path)
    assert 5 < len(list(images)) < 15
    assert 'it is damaged or cut off' in images.remarks[0]


def test_a_video_of_which_nothing_can_be_decoded_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    data = path.read_bytes()
    begin, end = data.index(b'\xff\xd8'), data.index(b'idx1')
    path.write_bytes(data[:begin] + bytes(end - begin) + data[end:])
    with pytest.raises(RecordingError, match=r'no image that OpenCV can decode: .* codec'):
        next(read_images(path))


def test_a_video_is_stamped_by_its_rate(tmp_path: Path) -> None:
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 4.0, (64, 48))
    for level in (0, 100, 200):
        writer.write(np.full((48, 64, 3), (0, 0, level), np.uint8))
    writer.release()
    read = list(read_images(path))
    assert [image.stamp for image in read] == [0, 250_000_000, 500_000_000]
    red, green, _ = read[2].pixels.mean(axis=(0, 1))
    assert red > 150 > 50 > green


def test_fewer_images_per_second_can_be_asked_for(recording: Path) -> None:
    stamps = [image.stamp - START for image in read_images(recording, fps=1.0)]
    assert stamps == [0, 10**9, 2 * 10**9, 3 * 10**9, 4 * 10**9]


def test_what_cannot_be_read_is_refused(recording: Path, tmp_path: Path) -> None:
    (tmp_path / 'text.mp4').write_text('no video')
    (tmp_path / 'empty').mkdir()
    for path in (tmp_path / 'nothing', tmp_path / 'text.mp4', tmp_path / 'empty'):
        with pytest.raises(RecordingError):
            next(read_images(path))
    with pytest.raises(RecordingError, match='no images on /other'):
        next(read_images(recording, topic='/other'))
