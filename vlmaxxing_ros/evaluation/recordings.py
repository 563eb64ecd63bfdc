# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Images with their stamps from a recording: rosbag2, .mcap, .db3, ROS 1 .bag or a video file.

Everything is converted as the node converts it; no transport, no clock, so that two runs see the
same.  An image that the node would drop is dropped and counted, and the rest goes on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vlmaxxing_ros.evaluation.errors import RecordingError
from vlmaxxing_ros.evaluation.image_types import IMAGE, IMAGES, image_types, taken
from vlmaxxing_ros.ros.images import (
    NO_SCALING,
    ImageError,
    Scaling,
    compressed_to_rgb,
    to_rgb,
)
from vlmaxxing_ros.ros.recording import BagError, Recording, is_recording
from vlmaxxing_ros.ros.video import Video, VideoError
from vlmaxxing_ros.ros.video_stream import VideoStream, to_packet

_PROBED = 5  # images whose stamps tell whether the driver set any


@dataclass(frozen=True)
class StampedImage:
    """One image of a recording: RGB, uint8 [height, width, 3]; `stamp` in nanoseconds."""

    pixels: np.ndarray
    stamp: int
    frame_id: str


@dataclass(frozen=True)
class _Recorded:
    """An image message, and when it was taken and recorded in ns."""

    message: Any
    kind: str
    stamp: int
    frame_id: str
    time: int


class Images(Iterator[StampedImage]):
    """The images of a recording, in order, once.

    Attributes:
        dropped: how many images were left out so far, by reason.
        remarks: what else is to be said about the recording, once it was read.
    """

    def __init__(self, path: Path, topic: str, fps: float, scaling: Scaling) -> None:
        self.dropped: Counter[str] = Counter()
        self.remarks: list[str] = []
        self._path = path
        self._scaling = scaling
        self._kinds: dict[str, str] = {}  # reason without its numbers: with those of the first
        images = self._bag(topic) if is_recording(path) else self._video()
        self._images = _thin(images, fps) if fps else images

    def __next__(self) -> StampedImage:
        return next(self._images)

    def _video(self) -> Iterator[StampedImage]:
        try:
            video = Video(str(self._path))
        except VideoError as error:
            raise RecordingError(
                f'{self._path} is neither a rosbag2 folder, a .mcap, .db3 or .bag file nor a video '
                'that OpenCV can read'
            ) from error
        try:
            for time, image in video.images():
                pixels = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
                yield StampedImage(pixels, time, self._path.stem)
        except VideoError as error:
            raise RecordingError(str(error)) from error
        finally:
            video.close()
        if video.remark:
            self.remarks.append(video.remark)

    def _bag(self, topic: str) -> Iterator[StampedImage]:
        try:
            with Recording(self._path, remark=self.remarks.append) as recording:
                name = self._image_topic(recording, topic)
                yield from self._converted(self._messages(recording, name))
        except BagError as error:
            raise RecordingError(str(error)) from error

    def _messages(self, recording: Recording, name: str) -> Iterator[_Recorded]:
        """The topic's messages; by their headers' stamps, or by the recording's times."""
        types = image_types()
        kind = recording.topics[name].type
        for time, _, data in recording.messages([name]):
            try:
                message = types.deserialize_cdr(data, kind)
            except Exception:  # damaged bytes raise whatever they look like
                self._drop('not a message of its type')
            else:
                yield _Recorded(message, kind, *taken(message), time)

    def _converted(self, messages: Iterator[_Recorded]) -> Iterator[StampedImage]:
        first = list(islice(messages, _PROBED))
        stamps = {recorded.stamp for recorded in first}
        stampless = stamps == {0} or (len(stamps) == 1 and len(first) > 1)
        if stampless:
            self.remarks.append(
                f'{self._path}: the first images are all stamped {stamps.pop() * 1e-9:g} s: the '
                'times of recording are taken instead; does the driver set the stamps?'
            )
        stream, frame_id = VideoStream(), ''
        before: int | None = None
        used = 0
        for recorded in chain(first, messages):
            stamp = recorded.time if stampless else recorded.stamp
            if stamp == before:
                self._drop('same stamp as the image before')
                continue
            before = stamp
            frame_id = recorded.frame_id
            packet = None if recorded.kind == IMAGE else to_packet(recorded.message, stamp)
            convert = to_rgb if recorded.kind == IMAGE else compressed_to_rgb
            try:
                if packet is None:
                    yield StampedImage(convert(recorded.message, self._scaling), stamp, frame_id)
                    used += 1
                    continue
                pictures = stream.decode(packet)
            except ImageError as error:
                self._drop(_advice(str(error)))
                continue
            for picture in pictures:
                yield StampedImage(picture.to_rgb(), picture.stamp, frame_id)
                used += 1
        for picture in stream.flush():
            yield StampedImage(picture.to_rgb(), picture.stamp, frame_id)
            used += 1
        if not used and not self.dropped:
            raise RecordingError(f'{self._path} holds no image')
        if not used:
            reason, _ = self.dropped.most_common(1)[0]
            raise RecordingError(
                f'{self._path}: none of {self.dropped.total()} images can be used: {reason}'
            )

    def _drop(self, reason: str) -> None:
        """Count an image that is left out; reasons that differ in their numbers are one."""
        self.dropped[self._kinds.setdefault(re.sub(r'[\d.]+', '#', reason), reason)] += 1

    def _image_topic(self, recording: Recording, topic: str) -> str:
        images = sorted(t.name for t in recording.topics.values() if t.type in IMAGES)
        there = ', '.join(images)
        if topic and topic not in images:
            near = [name for name in images if name.startswith(f'{topic}/')]
            hint = f': did you mean {near[0]}?' if near else ''
            raise RecordingError(
                f'{self._path} has no images on {topic}; on: {there or "none"}{hint}'
            )
        if not images:
            others = ', '.join(f'{t.name} ({t.type})' for t in recording.topics.values())
            raise RecordingError(
                f'{self._path} has no topic with images; it has {others or "no topic at all"}'
            )
        if not topic and len(images) > 1:
            raise RecordingError(f'{self._path} has several image topics, choose one: {there}')
        return topic or images[0]


def read_images(
    path: Path, *, topic: str = '', fps: float = 0.0, scaling: Scaling = NO_SCALING
) -> Images:
    """The images of a recording, in order.

    Args:
        path: a rosbag2 folder, a .mcap, .db3 or .bag file, or a video.
        topic: the image topic of a bag; empty: the only one there is.
        fps: images per second at most; 0: all.
        scaling: how images without 8-bit colour become grey, or 8-bit.

    Raises:
        RecordingError: the recording cannot be read, or the topic is not clear.
    """
    if not path.exists():
        raise RecordingError(f'{path} does not exist')
    if topic and not is_recording(path):
        raise RecordingError(f'{path} is a video: it has no topic {topic}')
    return Images(path, topic, fps, scaling)


def _advice(text: str) -> str:
    """An image's error, with the evaluation's option in place of the node's parameter."""
    return re.sub(r'set the parameter <camera>\.(\w+_range) to', r'give --set \1=LOW,HIGH,', text)


def _thin(images: Iterator[StampedImage], fps: float) -> Iterator[StampedImage]:
    """At most `fps` images per second: the first at or after each tick."""
    start, tick = None, 0
    for image in images:
        start = image.stamp if start is None else start
        # A stamp that goes backwards is the engine's business: it passes.
        elapsed = (image.stamp - start) * 1e-9 * fps
        if elapsed >= tick - 1e-3 or elapsed < tick - 1.5:
            tick = int(elapsed + 1e-3) + 1
            yield image
