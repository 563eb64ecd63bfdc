# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What of one camera's image is protected: what the settings say, and what was told last.

A rectangle is told in pixels of the images that come, and is looked at when one has come.  Knows
nothing of rclpy; warnings go to whoever wants them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vlmaxxing_ros.engine.seeing.region import Region


@dataclass(frozen=True)
class Rectangle:
    """Pixels of an image: its left column and top row, its size; of no size: nothing."""

    x: int
    y: int
    width: int
    height: int

    @property
    def empty(self) -> bool:
        """Whether it stands for nothing at all."""
        return not (self.width or self.height)


class Protection:
    """One camera's.

    One thread tells (`take`), another asks (`regions`).

    Args:
        name: of the camera.
        always: regions of the settings.
        warn: told why a rectangle cannot be used, and what to do; not twice in a row.
    """

    def __init__(self, name: str, always: Sequence[Region], warn: Callable[[str], object]) -> None:
        self._name = name
        self._always = tuple(always)
        self._warn = warn
        self._told = self._used = _NOTHING
        self._warned = ''

    def take(self, rectangle: Rectangle) -> None:
        """Protect a rectangle in place of the one told before."""
        self._told = rectangle

    def regions(self, height: int, width: int) -> tuple[Region, ...]:
        """What is protected in an image of this size, in pixels.

        A rectangle that cannot be used leaves in use the one before it.
        """
        told = self._told
        if why := _why_not(told, height, width):
            self._say(f'{self._name}/regions is ignored: {why}')
        else:
            self._used = told
            self._warned = ''
        used = self._used
        if used.empty or _why_not(used, height, width):
            return self._always
        fractions = (used.x / width, used.y / height, used.width / width, used.height / height)
        return (*self._always, Region(*fractions))

    def _say(self, text: str) -> None:
        kind = re.sub('[0-9]+', '#', text)  # a tracker's numbers are new with every message
        if kind != self._warned:
            self._warned = kind
            self._warn(text)


_NOTHING = Rectangle(0, 0, 0, 0)


def _why_not(told: Rectangle, height: int, width: int) -> str:
    """Why a rectangle is none of an image; empty: it is one, or nothing."""
    if told.empty:
        return ''
    if not (told.width and told.height):
        return (
            f'a region of {told.width}x{told.height} pixels has no area: give it both a width and '
            'a height, or neither to protect nothing'
        )
    if told.x + told.width > width or told.y + told.height > height:
        return (
            f'the region of {told.width}x{told.height} pixels at ({told.x}, {told.y}) is not '
            f'within the image of {width}x{height}: give it in pixels of the image that is read'
        )
    return ''
