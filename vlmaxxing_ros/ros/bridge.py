# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""cv_bridge where it is right, encoding by encoding; OpenCV alone where it is not, or not there.

Its compiled form may end the process in which it meets another numpy than it was built for
(vision_opencv #535), and PyPI's, which is ROS 1's, knows less than it says.  So a process of its
own compares it with our conversion first: `python -m vlmaxxing_ros.ros.bridge` tells what of it
gives the same pixels.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from vlmaxxing_ros.ros.images import LAYOUTS
from vlmaxxing_ros.ros.messages import to_image

_PATIENCE = 30.0  # s for the comparison


@dataclass(frozen=True)
class _View:
    """The fields of sensor_msgs/Image over pixels as they lie: cv_bridge asks for no more."""

    encoding: str
    height: int
    width: int
    step: int
    data: np.ndarray
    is_bigendian: int = 0


class Bridge:
    """What converts images in this process.

    Args:
        encodings: those that cv_bridge converts to RGB; none: it is not loaded.
        outgoing: whether it makes messages of RGB images.
        why_not: what keeps it from more.
    """

    def __init__(
        self, encodings: frozenset[str] = frozenset(), *, outgoing: bool = False, why_not: str = ''
    ) -> None:
        self.encodings = encodings
        self.outgoing = outgoing
        self._why_not = why_not
        self._cv_bridge: Any = None
        if encodings or outgoing:
            import cv_bridge

            self._cv_bridge = cv_bridge.CvBridge()

    def __str__(self) -> str:
        if self._cv_bridge is None:
            return f'OpenCV ({self._why_not})'
        names = ', '.join(sorted(self.encodings))
        return f'cv_bridge ({names}{"; outgoing" if self.outgoing else ""}), OpenCV for the rest'

    def to_rgb(self, encoding: str, pixels: np.ndarray) -> np.ndarray | None:
        """Pixels, uint8 [height, width(, channels)], to RGB; None: not this encoding."""
        if encoding not in self.encodings:
            return None
        height, width = pixels.shape[:2]
        view = _View(encoding, height, width, pixels.nbytes // height, pixels)
        converted: np.ndarray = self._cv_bridge.imgmsg_to_cv2(view, 'rgb8')
        return converted

    def to_image(self, pixels: np.ndarray, *, stamp: int, frame_id: str) -> Image:
        """An rgb8 image of uint8 [height, width, 3]; `stamp` in ns."""
        if not self.outgoing:
            return to_image(pixels, stamp=stamp, frame_id=frame_id)
        message: Image = self._cv_bridge.cv2_to_imgmsg(pixels, 'rgb8')
        message.header = to_image(pixels[:1, :1], stamp=stamp, frame_id=frame_id).header
        return message


class Choice:
    """A bridge in the making: begun at start, there when the first image needs it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            (sys.executable, '-m', 'vlmaxxing_ros.ros.bridge'),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is the node's, and this ends by itself
        )
        self._bridge: Bridge | None = None
        self._lock = threading.Lock()

    def __str__(self) -> str:
        waiting = self._bridge is None and self._process.poll() is None
        return 'not chosen yet' if waiting else str(self.made())

    def made(self) -> Bridge:
        """The bridge; waits for the comparison the first time."""
        with self._lock:
            if self._bridge is None:
                self._bridge = self._make()
            return self._bridge

    def _make(self) -> Bridge:
        try:
            told, errors = self._process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return Bridge(why_not=f'cv_bridge did not load within {_PATIENCE:g} s')
        if self._process.returncode < 0:
            signal = -self._process.returncode
            return Bridge(why_not=f'cv_bridge ends the process that loads it, by signal {signal}')
        if self._process.returncode:
            last = (errors.strip().splitlines() or ['no reason given'])[-1]
            return Bridge(why_not=f'cv_bridge does not load: {last}')
        right = json.loads(told.splitlines()[-1])
        return Bridge(frozenset(right['encodings']), outgoing=right['outgoing'])


def compare() -> dict[str, Any]:
    """What the cv_bridge of this machine does as we do: `encodings`, and whether `outgoing`."""
    # Not less than what any encoding needs, with colours that no mistake leaves as they are.
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 4), dtype=np.uint8)
    right = []
    for encoding, layout in LAYOUTS.items():
        if layout.planes != 1.0:
            continue
        pixels = np.ascontiguousarray(noise[..., : layout.channels])
        pixels = pixels[..., 0] if layout.channels == 1 else pixels
        bridge = Bridge(frozenset({encoding}))
        try:
            converted = bridge.to_rgb(encoding, np.ascontiguousarray(pixels))
        except Exception:  # it raises whatever its tables and OpenCV do
            continue
        if _same(converted, layout.convert(np.ascontiguousarray(pixels))):
            right.append(encoding)
    rgb = np.ascontiguousarray(noise[..., :3])
    try:
        made = Bridge(outgoing=True).to_image(rgb, stamp=1, frame_id='camera')
    except Exception:
        outgoing = False
    else:
        outgoing = made == to_image(rgb, stamp=1, frame_id='camera')
    return {'encodings': right, 'outgoing': bool(outgoing)}


def _same(one: np.ndarray | None, other: np.ndarray) -> bool:
    return one is not None and one.dtype == other.dtype and np.array_equal(one, other)


if __name__ == '__main__':
    print(json.dumps(compare()))
