# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Compressed video on a topic, decoded by PyAV: every packet has to be seen, in its order.

Knows the fields of `ffmpeg_image_transport_msgs/FFMPEGPacket` and of a `CompressedImage` that
carries H.264 or H.265.  What cannot be right is not shown: after a loss, and in the middle of a
stream, images come again from the next keyframe on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vlmaxxing_ros.ros.compressed import MAX_PIXELS, ImageError, quoted, too_large
from vlmaxxing_ros.ros.h264 import FrameNumbers, is_entry

try:
    import av
except ImportError:  # an extra: most cameras send images
    av = None  # type: ignore[assignment]

PACKET = 'ffmpeg_image_transport_msgs/msg/FFMPEGPacket'
_KEYFRAME = 1  # of FFMPEGPacket.flags, as libavcodec has it


@dataclass(frozen=True)
class Packet:
    """One packet: `stamp` in ns; `number` counts packets, where the publisher says it."""

    codec: str
    data: bytes
    stamp: int
    keyframe: bool
    number: int | None = None


@dataclass(frozen=True)
class Picture:
    """A decoded image; `stamp` in ns."""

    frame: Any
    stamp: int

    def to_rgb(self) -> np.ndarray:
        """The pixels, uint8 [height, width, 3]."""
        pixels: np.ndarray = self.frame.to_ndarray(format='rgb24')
        return pixels


def to_packet(message: Any, stamp: int) -> Packet | None:
    """A message's packet; None if it holds an image of its own."""
    if hasattr(message, 'format'):
        codec = _codec(message.format)
        if codec not in ('h264', 'hevc') or 'jp' in message.format or 'png' in message.format:
            return None
        data = bytes(message.data)
        return Packet(codec, data, stamp, is_entry(data, codec))
    if hasattr(message, 'pts'):
        codec, data = _codec(message.encoding.split(';')[0]), bytes(message.data)
        known = codec in ('h264', 'hevc')
        entry = bool(message.flags & _KEYFRAME) or (known and is_entry(data, codec))
        return Packet(codec, data, stamp, entry, int(message.pts))
    return None


def _codec(name: str) -> str:
    """The name in libavcodec of what an encoder makes: `libx264`, `h264_nvenc`, `H.264`, `hevc`."""
    name = name.strip().lower().replace('.', '')
    for codec, marks in (('h264', ('264', 'avc')), ('hevc', ('265', 'hevc'))):
        if any(mark in name for mark in marks):
            return codec
    return name.removeprefix('lib').split('_')[0]


class VideoStream:
    """The decoder of one camera's stream; `max_pixels` is what an image may claim to have."""

    def __init__(self, max_pixels: int = MAX_PIXELS) -> None:
        self._max_pixels = max_pixels
        self._codec = ''
        self._decoder: Any = None
        self._waiting = ''  # why for a keyframe
        self._number: int | None = None
        self._step = 0  # between numbers; 0: not known
        self._frames = FrameNumbers()
        self._held = 0  # packets of H.265 without an image yet
        self._usual: int | None = None  # so many where all is well; None: no image yet

    def decode(self, packet: Packet) -> list[Picture]:
        """The images that are complete with this packet: one as a rule.

        Raises:
            ImageError: PyAV is not there or does not know the codec; a keyframe is waited for; the
                images are too large.
        """
        if av is None:
            raise ImageError(f'{packet.codec} needs PyAV: pip install av')
        if packet.codec != self._codec:
            self._codec, self._number = packet.codec, None
            self._waiting = 'the stream was joined in its middle'
        if not self._follows(packet):
            self._waiting = 'a packet was lost'
        if self._waiting:
            if not packet.keyframe:
                raise ImageError(f'{self._waiting}: waiting for its next keyframe')
            self._decoder = self._new_decoder()
            self._waiting, self._held, self._usual = '', 0, None
        encoded = av.Packet(packet.data)
        encoded.pts = packet.stamp
        try:
            frames = self._decoder.decode(encoded)
        except av.FFmpegError as error:
            self._waiting = 'a packet was damaged'
            self._check_size(self._decoder)
            raise ImageError(f'{packet.codec}: {error.strerror}: {self._waiting}') from error
        if any(frame.is_corrupt for frame in frames):
            self._waiting = 'a packet was damaged'
            raise ImageError(f'{self._waiting}: waiting for its next keyframe')
        if packet.codec == 'hevc' and self._withholds(packet, len(frames)):
            raise ImageError('nothing to show, as if a packet was lost: wait for its next keyframe')
        for frame in frames:
            self._check_size(frame)
        return [Picture(frame, frame.pts) for frame in frames]

    def _withholds(self, packet: Packet, shown: int) -> bool:
        """Whether the decoder shows less than reordering explains: references are missing.

        Those packets will never be shown, so that a keyframe begins the count anew.
        """
        if packet.keyframe and self._usual is not None:
            self._held = min(self._held, self._usual)
        self._held += 1 - shown
        if shown:
            self._usual = max(self._usual or 0, self._held)
        return self._usual is not None and self._held > self._usual

    def flush(self) -> list[Picture]:
        """The images that the decoder still holds, at the end of a recording."""
        if self._decoder is None or self._waiting:
            return []
        return [Picture(frame, frame.pts) for frame in self._decoder.decode(None)]

    def _new_decoder(self) -> Any:
        try:
            decoder = av.CodecContext.create(self._codec, 'r')
        except (ValueError, av.FFmpegError) as error:
            codec, self._codec = self._codec, ''
            raise ImageError(f'PyAV has no decoder for {quoted(codec)}') from error
        decoder.thread_type = 'SLICE'  # threads by the frame hold images back
        # Nothing larger is allocated; FFmpeg counts its padding, so that this is less exact.
        decoder.options = {'max_pixels': str(2 * self._max_pixels)}
        return decoder

    def _check_size(self, shown: Any) -> None:
        """Refuse what is larger than it may be: a decoded image, or what a decoder has read."""
        if shown.width * shown.height > self._max_pixels:
            raise ImageError(too_large(shown.width, shown.height, self._max_pixels))

    def _follows(self, packet: Packet) -> bool:
        """Whether nothing was lost before this packet, as far as can be told.

        H.264 says it itself, and of H.265 the decoder shows nothing whose references are missing;
        other codecs never reorder packets, so that the publisher's numbers tell.
        """
        before, self._number = self._number, packet.number
        if packet.codec == 'h264':
            return self._frames.follows(packet.data)
        if packet.codec == 'hevc' or before is None or packet.number is None:
            return True
        step, usual = packet.number - before, self._step
        if step > 0:
            self._step = min(step, usual or step)
        return step <= (usual or step)
