# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One colour per word, the same in overlay, moving picture, terminal page and documentation.

Blue and orange are told apart with every common kind of colour blindness, which a test simulates;
red and green never stand against each other alone: a mark or a word says the same.  Knows nothing
of what is drawn.
"""

from __future__ import annotations

RGB = tuple[int, int, int]

PAID: RGB = (255, 140, 0)
"""Paid for now: encoded and prefilled for this frame."""

REUSED: RGB = (70, 150, 255)
"""Changed a little, reused (shifted), and every figure about reuse."""

OWED: RGB = (204, 121, 167)
"""Seen, changed, and not in the cache yet."""

BAD: RGB = (213, 94, 0)
"""Something to act on; always with a word."""

PAPER: RGB = (24, 24, 28)
INK: RGB = (235, 235, 235)
SOFT: RGB = (150, 150, 158)
"""Background, text and secondary text of what is dark whatever the viewer's theme."""


def hexadecimal(colour: RGB) -> str:
    """As CSS, rich and matplotlib write it: #rrggbb."""
    return '#{:02x}{:02x}{:02x}'.format(*colour)
