# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A frame with its plan drawn over it: what was paid for now, and what was reused.

Knows pixels and plans; knows nothing of messages or files.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from vlmaxxing_ros.engine.seeing.plan import Plan, Verdict

ORANGE = (255, 140, 0)
"""Paid for now."""

BLUE = (70, 150, 255)
"""Shifted: reused though a little different."""

WHITE = (235, 235, 235)
"""Around what is protected."""

_WIDTH = 480  # pixels at least, so that the numbers can be read
_LINE = 18  # pixels per line of text
_PANEL = (24, 24, 28)


def draw_overlay(plan: Plan, lines: list[str], *, fresh: str = 'paid for now') -> np.ndarray:
    """Draw the plan over the frame and the budget under it.

    Static blocks are grey and dark, shifted ones keep their colours in a blue frame, fresh ones
    are orange; a white line runs around protected ones.

    Args:
        plan: of a frame, which is enlarged by a whole factor where it is small.
        lines: the budget in numbers, one line of text each, under the legend.
        fresh: what becomes of the fresh blocks, for the legend.

    Returns:
        uint8 [height, width, 3], RGB.
    """
    frame = plan.look.frame
    scale = math.ceil(_WIDTH / frame.grid.width)
    side = frame.grid.block * scale
    size = (frame.grid.width * scale, frame.grid.height * scale)
    picture = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_NEAREST)
    shifted = (plan.verdicts == Verdict.SHIFTED) & ~plan.fresh
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    drawn = _fill(cv2.convertScaleAbs(grey, alpha=0.55), picture, shifted, side)
    orange = cv2.addWeighted(picture, 0.6, np.full_like(picture, ORANGE), 0.4, 0)
    drawn = _fill(drawn, orange, plan.fresh, side)
    _frames(drawn, shifted, side, BLUE)
    _frames(drawn, plan.fresh, side, ORANGE)
    _outline(drawn, plan.protected, side)
    return np.concatenate([drawn, _panel(plan, lines, size[0], fresh)])


def _fill(below: np.ndarray, above: np.ndarray, blocks: np.ndarray, side: int) -> np.ndarray:
    """`above` where `blocks` are set, `below` elsewhere."""
    mask = np.repeat(np.repeat(blocks, side, 0), side, 1)
    return np.where(mask[..., None], above, below)


def _frames(
    picture: np.ndarray, blocks: np.ndarray, side: int, colour: tuple[int, int, int]
) -> None:
    """Draw a thin frame around each of the blocks."""
    for row, col in np.argwhere(blocks).tolist():
        corner = (col * side, row * side)
        cv2.rectangle(picture, corner, (corner[0] + side - 1, corner[1] + side - 1), colour, 1)


def _outline(picture: np.ndarray, blocks: np.ndarray, side: int) -> None:
    """Draw a line around areas of blocks."""
    mask = np.repeat(np.repeat(blocks.astype(np.uint8), side, 0), side, 1)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(picture, contours, -1, WHITE, 2)


def _panel(plan: Plan, lines: list[str], width: int, word: str) -> np.ndarray:
    """Legend and numbers: uint8 [height, width, 3]."""
    total, fresh = plan.fresh.size, np.count_nonzero(plan.fresh)
    counts = {verdict: np.count_nonzero(plan.verdicts == verdict) for verdict in Verdict}
    legend = [
        (ORANGE, f'{word} {fresh} of {total} ({100 * fresh / total:.0f} %)'),
        (
            BLUE,
            f'shifted {counts[Verdict.SHIFTED]}   static {counts[Verdict.STATIC]}   '
            f'novel {counts[Verdict.NOVEL]}   expired {counts[Verdict.EXPIRED]}',
        ),
    ]
    if protected := np.count_nonzero(plan.protected):
        legend.append((WHITE, f'protected {protected}'))
    texts = [*lines, f'whole frame: {plan.reason}'] if plan.whole else lines
    height = _LINE * (len(legend) + len(texts)) + 10
    panel: np.ndarray = np.full((height, width, 3), _PANEL, np.uint8)
    for index, (colour, text) in enumerate(legend):
        top = 6 + index * _LINE
        cv2.rectangle(panel, (8, top), (18, top + 10), colour, -1)
        _write(panel, text, 26, top + 10)
    for index, text in enumerate(texts, len(legend)):
        _write(panel, text, 8, 16 + index * _LINE)
    return panel


def _write(panel: np.ndarray, text: str, x: int, y: int) -> None:
    cv2.putText(panel, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, WHITE, 1, cv2.LINE_AA)
