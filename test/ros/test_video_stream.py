# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Compressed video on a topic: what is shown is right, what cannot be is waited for by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from integration.recordings import scene

from vlmaxxing_ros.ros.compressed import ImageError
from vlmaxxing_ros.ros.h264 import FrameNumbers, is_entry
from vlmaxxing_ros.ros.video_stream import Packet, VideoStream, to_packet

pytest.importorskip('av', reason='needs PyAV')

from ros.films import CODECS, encode


def decode(packets: Sequence[Packet]) -> tuple[dict[int, np.ndarray], list[str]]:
    """Images by number, and what was said in place of others."""
    stream = VideoStream()
    found: dict[int, np.ndarray] = {}
    said = []
    for packet in packets:
        try:
            pictures = stream.decode(packet)
        except ImageError as error:
            said.append(str(error))
        else:
            found |= {p.stamp // 100_000_000: p.to_rgb() for p in pictures}
    found |= {p.stamp // 100_000_000: p.to_rgb() for p in stream.flush()}
    return found, said


def unnumbered(packets: Sequence[Packet]) -> list[Packet]:
    """The same as a CompressedImage carries them: without numbers and flags."""
    return [Packet(p.codec, p.data, p.stamp, is_entry(p.data, p.codec)) for p in packets]


@pytest.mark.parametrize('between', [0, 2, 4])
@pytest.mark.parametrize('codec', CODECS)
def test_every_image_comes_out_with_its_own_stamp(codec: str, between: int) -> None:
    found, said = decode(encode(codec, between=between))
    assert sorted(found) == list(range(30))
    assert said == []
    for number, pixels in found.items():
        assert np.abs(pixels.astype(int) - scene(number)).mean() < 6


@pytest.mark.parametrize('codec', CODECS)
def test_without_b_frames_an_image_comes_out_with_its_own_packet(codec: str) -> None:
    stream = VideoStream()
    for packet in encode(codec):
        assert [picture.stamp for picture in stream.decode(packet)] == [packet.stamp]


@pytest.mark.parametrize('numbered', [True, False])
@pytest.mark.parametrize('codec', CODECS)
def test_a_stream_is_joined_at_its_next_keyframe(codec: str, numbered: bool) -> None:
    packets = encode(codec)[5:]
    found, said = decode(packets if numbered else unnumbered(packets))
    assert sorted(found) == list(range(10, 30))
    assert len(said) == 5
    assert all('joined in its middle: waiting for its next keyframe' in text for text in said)


@pytest.mark.parametrize('lost', [1, 2, 5])
@pytest.mark.parametrize('numbered', [True, False])
@pytest.mark.parametrize('codec', CODECS)
def test_after_a_loss_nothing_wrong_is_shown(codec: str, numbered: bool, lost: int) -> None:
    packets = encode(codec)
    whole, _ = decode(packets)
    left = packets[:13] + packets[13 + lost :]
    found, said = decode(left if numbered else unnumbered(left))
    assert set(found) >= {*range(13), *range(20, 30)}
    for number, pixels in found.items():
        np.testing.assert_array_equal(pixels, whole[number])
    assert len(said) >= 20 - 13 - lost
    assert all('a packet was lost' in text and 'its next keyframe' in text for text in said)


@pytest.mark.parametrize('codec', CODECS)
def test_a_lost_keyframe_is_waited_for(codec: str) -> None:
    packets = encode(codec)
    whole, _ = decode(packets)
    found, said = decode(unnumbered(packets[:10] + packets[11:]))
    assert set(found) >= {*range(10), *range(20, 30)}
    assert len(said) == 9
    for number, pixels in found.items():
        np.testing.assert_array_equal(pixels, whole[number])


@pytest.mark.parametrize('codec', CODECS)
def test_a_damaged_packet_costs_the_images_up_to_the_next_keyframe(codec: str) -> None:
    packets = encode(codec)
    bad = packets[13]
    data = bad.data[:8] + b'\x55' * (len(bad.data) - 8)
    packets[13] = Packet(bad.codec, data, bad.stamp, bad.keyframe, bad.number)
    found, _ = decode(packets)
    assert set(found) >= {*range(13), *range(20, 30)}
    assert not set(found) & set(range(14, 20))


@pytest.mark.parametrize('codec', CODECS)
@pytest.mark.parametrize('most', [1000, 112 * 112 - 1])
def test_a_video_that_claims_to_be_huge_is_refused(codec: str, most: int) -> None:
    (first, *_) = encode(codec, count=2)
    with pytest.raises(ImageError, match=r'the header claims 112x112 .*\(max_image_pixels\)'):
        VideoStream(max_pixels=most).decode(first)
    assert VideoStream(max_pixels=112 * 112).decode(first)


@pytest.mark.parametrize(('codec', 'error'), [('h264', ValueError), ('hevc', MemoryError)])
def test_what_is_far_larger_is_not_even_decoded(codec: str, error: type[Exception]) -> None:
    (first, *_) = encode(codec, count=2)
    with pytest.raises(ImageError) as refused:
        VideoStream(max_pixels=1000).decode(first)
    assert isinstance(refused.value.__context__, error), "FFmpeg's own refusal"


def test_where_only_numbers_tell_a_loss_they_do() -> None:
    packets = encode('vp8')
    found, said = decode(packets[:13] + packets[14:])
    assert sorted(found) == [*range(13), *range(20, 30)]
    assert said == ['a packet was lost: waiting for its next keyframe'] * 6


def test_a_stream_that_begins_anew_goes_on() -> None:
    packets = encode()
    found, said = decode([*packets[:15], *packets])
    assert said == []
    assert sorted(found) == list(range(30))


def test_the_numbers_of_pictures_tell_a_loss() -> None:
    packets = encode()
    numbers = FrameNumbers()
    assert all(numbers.follows(packet.data) for packet in packets)
    assert not numbers.follows(packets[15].data)
    numbers = FrameNumbers()
    follows = [numbers.follows(p.data) for p in encode(between=2, count=60)]
    assert all(follows), follows


@pytest.mark.parametrize(
    ('name', 'codec'),
    [
        ('h264', 'h264'),
        ('H.264', 'h264'),
        ('libx264', 'h264'),
        ('h264_nvenc;yuv420p;bgr8;bgr8', 'h264'),
        ('hevc_vaapi', 'hevc'),
        ('libx265', 'hevc'),
        ('H.265', 'hevc'),
        ('mjpeg', 'mjpeg'),
        ('libaom-av1', 'aom-av1'),
    ],
)
def test_an_encoder_s_name_is_a_codec_s(name: str, codec: str) -> None:
    message = SimpleNamespace(encoding=name, flags=1, pts=3, data=b'\0\0\1\x65')
    packet = to_packet(message, stamp=7)
    assert packet is not None
    assert (packet.codec, packet.keyframe, packet.number) == (codec, True, 3)


@pytest.mark.parametrize(
    'name', ['jpeg', 'rgb8; png compressed bgr8', '16UC1; compressedDepth', '']
)
def test_images_are_no_packets(name: str) -> None:
    assert to_packet(SimpleNamespace(format=name, data=b''), stamp=0) is None


def test_a_codec_that_nobody_knows_is_told() -> None:
    with pytest.raises(ImageError, match='no decoder for'):
        VideoStream().decode(Packet('magic', b'', 0, True))


def test_without_pyav_the_error_says_what_to_install() -> None:
    program = (
        'import sys; sys.modules["av"] = None\n'
        'from vlmaxxing_ros.ros.video_stream import Packet, VideoStream\n'
        'VideoStream().decode(Packet("h264", b"", 0, True))'
    )
    done: Any = subprocess.run((sys.executable, '-c', program), capture_output=True, text=True)
    assert 'ImageError: h264 needs PyAV: pip install av' in done.stderr
