# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A piece of an image at a fraction of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vlmaxxing_ros.engine.seeing.pieces import Place, cut

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)


def test_at_whole_pixels_it_is_those() -> None:
    assert np.array_equal(cut(IMAGE, (7.0, 5.0), 30, 20), IMAGE[5:25, 7:37])
    assert np.array_equal(cut(IMAGE, (0.0, 20.0), 60, 20, sharp=True), IMAGE[20:])


@pytest.mark.parametrize('sharp', [False, True])
@pytest.mark.parametrize(
    'place', [(3.25, 4.5), (-6.5, 2.75), (45.5, 30.25), (0.0, 20.5), (-200.0, 7.0), (9.0, 300.5)]
)
def test_between_pixels_and_beyond_the_edge_it_is_what_a_warp_shows(
    place: Place, sharp: bool
) -> None:
    matrix = np.array([[1, 0, place[0]], [0, 1, place[1]]], np.float32)
    warped = cv2.warpAffine(
        IMAGE,
        matrix,
        (30, 20),
        flags=(cv2.INTER_CUBIC if sharp else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    ours = cut(IMAGE, place, 30, 20, sharp=sharp)
    assert np.abs(ours.astype(int) - warped).max() <= 1
