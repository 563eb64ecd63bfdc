# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One palette, told apart by everyone, and really the one that is drawn with."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest

from vlmaxxing_ros import palette
from vlmaxxing_ros.engine.seeing import overlay

# Linear RGB as seen without one kind of cones: Viénot, Brettel and Mollon 1999.
BLINDNESS = {
    'none': np.eye(3),
    'protan': np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
    'deutan': np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
}
COLOURS = {'paid': palette.PAID, 'reused': palette.REUSED, 'owed': palette.OWED}


def lab(colour: palette.RGB, seen: np.ndarray) -> np.ndarray:
    linear = (np.array(colour) / 255) ** 2.2 @ seen.T
    rgb = (np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.float32).reshape(1, 1, 3)
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0, 0]


@pytest.mark.parametrize('kind', BLINDNESS)
def test_paid_reused_and_owed_are_told_apart(kind: str) -> None:
    for a, b in combinations(COLOURS.values(), 2):
        difference = np.linalg.norm(lab(a, BLINDNESS[kind]) - lab(b, BLINDNESS[kind]))
        assert difference > 25, (kind, a, b)


def contrast(a: palette.RGB, b: palette.RGB) -> float:
    weights = np.array([0.2126, 0.7152, 0.0722])
    light, dark = sorted(
        (float((np.array(c) / 255) ** 2.2 @ weights) + 0.05 for c in (a, b)), reverse=True
    )
    return light / dark


@pytest.mark.parametrize('name', ['INK', 'SOFT', 'PAID', 'REUSED', 'OWED'])
def test_words_can_be_read_on_our_paper(name: str) -> None:
    assert contrast(getattr(palette, name), palette.PAPER) >= 4.5, 'WCAG AA'


def test_the_overlay_is_drawn_in_these_colours() -> None:
    assert (overlay.ORANGE, overlay.BLUE) == (palette.PAID, palette.REUSED)


def test_a_colour_is_written_as_the_web_writes_it() -> None:
    assert palette.hexadecimal((255, 140, 0)) == '#ff8c00'
