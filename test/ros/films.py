# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Short films for the tests: scenes of the recordings, encoded by PyAV packet by packet."""

from __future__ import annotations

from fractions import Fraction

import av
from integration.recordings import scene

from vlmaxxing_ros.ros.video_stream import Packet

KEYFRAMES = 10  # every so many
CODECS = {'h264': 'libx264', 'hevc': 'libx265'}


def encode(codec: str = 'h264', *, count: int = 30, between: int = 0) -> list[Packet]:
    """A stream of `scene`s at 10 Hz, with `between` B-frames, in decoding order."""
    encoder = av.CodecContext.create(CODECS.get(codec, 'libvpx'), 'w')
    encoder.width = encoder.height = 112
    encoder.pix_fmt = 'yuv420p'
    encoder.time_base, encoder.framerate = Fraction(1, 10), Fraction(10)
    encoder.gop_size, encoder.max_b_frames = KEYFRAMES, between
    if codec == 'hevc':
        said = f'log-level=none:keyint={KEYFRAMES}:bframes={between}:scenecut=0'
        encoder.options = {'x265-params': said}
    elif codec == 'h264':
        encoder.options = {'x264-params': 'scenecut=0'}
        if not between:
            encoder.options |= {'tune': 'zerolatency'}
    packets = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(scene(number), format='rgb24')
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [
        Packet(codec, bytes(p), int(p.pts) * 100_000_000, p.is_keyframe, int(p.pts))
        for p in packets
    ]
