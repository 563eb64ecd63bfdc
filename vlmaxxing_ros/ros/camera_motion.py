# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How fast a turning camera moves its image, from an angular velocity measured on the robot.

A point P seen from a camera that turns with omega moves by P' = -omega x P.  With u = fx X/Z and
v = fy Y/Z that is u' = -fx wy and v' = fy wx on the optical axis (x right, y down, z forward,
REP 103).  What the camera does besides, rolling about that axis and going somewhere, moves each
point of the image differently, the latter with its distance: both are left to the planner's
estimate from the images, which counts wherever it is the larger.

Knows nothing of rclpy; warnings go to whoever wants them.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.seeing.frame import Frame

MAX_GAP = 0.25
"""Time between the stamps of an image and of a twist beyond which they have nothing to do with
each other; s."""

KEPT = 1000
"""Twists that are remembered: a few seconds of an IMU."""

PATIENCE = 10
"""Images that may lack a twist near them, or the lens, before that is a fault: both may be late
when publishers start."""


@dataclass(frozen=True)
class Twist:
    """Angular velocity of a camera: `x`, `y` in rad/s about the axes of `frame_id`; `stamp` in ns.

    An empty `frame_id` stands for the camera's optical frame.
    """

    stamp: int
    frame_id: str
    x: float
    y: float


@dataclass(frozen=True)
class Lens:
    """Focal lengths `fx`, `fy`, and `width`, `height` of the image that they hold for; pixels."""

    fx: float
    fy: float
    width: int
    height: int


class _Unusable(Exception):
    """A kind of fault for which a twist cannot be used, once so many images have met with it."""

    def __init__(self, kind: str, why: str, *, patience: int = 1) -> None:
        super().__init__(why)
        self.kind = kind
        self.patience = patience


class CameraMotion:
    """One camera's newest twists and its lens, and what they mean for its frames.

    One thread receives (`take`, `lens`), the worker's asks.

    Args:
        name: of the camera.
        warn: told, once for each kind of fault, why twists cannot be used and what to do.
    """

    def __init__(self, name: str, warn: Callable[[str], object]) -> None:
        self.lens: Lens | None = None
        self._twists: deque[Twist] = deque(maxlen=KEPT)
        self._asked = 0  # ns, stamp of the last frame
        self._name = name
        self._warn = warn
        self._faults: Counter[str] = Counter()

    def take(self, twist: Twist) -> None:
        """Keep a twist: images come later than what was measured at their time.

        A stamp that goes backwards, as where a recording begins anew, ends what was known.
        """
        if self._twists and twist.stamp < self._twists[-1].stamp:
            self._twists.clear()
        self._twists.append(twist)

    def velocity(self, frame: Frame) -> tuple[float, float] | None:
        """How fast the image content moves: (right, down) in pixels of the frame's grid per second.

        The mean since the frame asked about before, as far as twists came.  None: nothing is
        known, or what is known cannot be used.
        """
        twists, lens = tuple(self._twists), self.lens
        since, self._asked = self._asked, frame.stamp
        if not twists:
            return None
        try:
            return _velocity(frame, _between(twists, since, frame.stamp), lens)
        except _Unusable as fault:
            self._faults[fault.kind] += 1
            if self._faults[fault.kind] == fault.patience:
                self._warn(f'{self._name}/twist is ignored: {fault}')
            return None


def _between(twists: tuple[Twist, ...], since: int, stamp: int) -> list[Twist]:
    """Those since one stamp, up to another, ns; where there are none, the nearest."""
    between = [twist for twist in twists if since < twist.stamp <= stamp]
    return between or [min(twists, key=lambda twist: abs(twist.stamp - stamp))]


def _velocity(frame: Frame, twists: list[Twist], lens: Lens | None) -> tuple[float, float]:
    """As `CameraMotion.velocity`.

    Raises:
        _Unusable: the text says why, and what to do.
    """
    for twist in twists:
        if twist.frame_id not in ('', frame.frame_id):
            raise _Unusable(
                'frame_id',
                f"it is in the frame '{twist.frame_id}', the image in '{frame.frame_id}': "
                "transform it into the camera's optical frame, or leave it unpublished",
            )
    if lens is None:
        raise _Unusable(
            'no lens',
            'there is no camera_info beside it to take the focal length from: publish or remap it',
            patience=PATIENCE,
        )
    if not all(0 < value < math.inf for value in (lens.fx, lens.fy, lens.width, lens.height)):
        raise _Unusable(
            'lens',
            f'camera_info has K[0] = {lens.fx}, K[4] = {lens.fy} and {lens.width}x{lens.height} '
            'pixels: calibrate the camera',
        )
    gap = min(abs(frame.stamp - twist.stamp) for twist in twists) * 1e-9
    if gap > MAX_GAP:
        raise _Unusable(
            'gap',
            f'{PATIENCE} images were stamped more than {MAX_GAP} s from any twist, the last '
            f'one {gap:.3f} s: does it still come, and are both stamped by the same clock?',
            patience=PATIENCE,
        )
    x, y = (sum(values) / len(twists) for values in zip(*((t.x, t.y) for t in twists), strict=True))
    right = -y * lens.fx * frame.grid.width / lens.width
    down = x * lens.fy * frame.grid.height / lens.height
    if not (math.isfinite(right) and math.isfinite(down)):
        raise _Unusable('value', f'its angular velocity is ({x}, {y}) rad/s')
    return right, down
