# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A piece of an image is found again to a fraction of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from engine.seeing import pans
from engine.seeing.pans import GRID, CameraPath, Pose

from vlmaxxing_ros.engine.seeing.lattice import Lattice
from vlmaxxing_ros.engine.seeing.pieces import Place
from vlmaxxing_ros.engine.seeing.registration import register

LATTICE = Lattice(GRID, 56)
PLACES = [(28.0, 28.0), (3.3, 50.8), (17.5, 0.0), (56.0, 41.25)]
CANVAS = LATTICE.canvas(pans.delivered(CameraPath('', lambda _: Pose(), sigma=4.0), 0))


def off(found: Place, place: Place) -> float:
    return float(np.hypot(found[0] - place[0], found[1] - place[1]))


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('apart', [(0.0, 0.0), (2.5, -1.0), (-5.0, 4.0)])
def test_a_piece_is_found_from_a_guess_some_pixels_away(place: Place, apart: Place) -> None:
    piece = LATTICE.cut(CANVAS, place)
    guess = place[0] + apart[0], place[1] + apart[1]
    assert off(register(CANVAS, piece, [guess]), place) < 0.1


def test_the_best_of_some_guesses_is_gone_on_from() -> None:
    place = PLACES[1]
    guesses = [(40.0, 10.0), (5.0, 49.0), (-8.0, -8.0)]
    assert off(register(CANVAS, LATTICE.cut(CANVAS, place), guesses), place) < 0.1


def test_what_moves_by_itself_and_another_light_mislead_it_little() -> None:
    place = PLACES[0]
    piece = LATTICE.cut(CANVAS, place)
    cv2.rectangle(piece, (60, 40), (150, 130), (250, 250, 20), -1)
    brighter = cv2.convertScaleAbs(CANVAS, alpha=0.9, beta=14)
    assert off(register(brighter, piece, [(30.0, 27.0)]), place) < 0.2


@pytest.mark.parametrize('apart', [(1.5, -1.0), (-3.0, 3.0)])
def test_a_screen_that_is_mostly_flat_is_found_by_its_letters(apart: Place) -> None:
    rng = np.random.default_rng(3)
    screen = np.full((2 * 280, 2 * 392, 3), 24, np.uint8)
    for line in range(20, 540, 44):
        for x in range(40, 40 + 8 * int(rng.integers(10, 60)), 8):
            corner = (x, line), (x + int(rng.integers(2, 6)), line + int(rng.integers(4, 12)))
            cv2.rectangle(screen, *corner, (200, 220, 210), -1)
    canvas = LATTICE.canvas(screen)
    guess = PLACES[0][0] + apart[0], PLACES[0][1] + apart[1]
    assert off(register(canvas, LATTICE.cut(canvas, PLACES[0]), [guess]), PLACES[0]) < 0.1


def test_where_nothing_can_be_seen_the_guess_stays() -> None:
    blank = np.full_like(CANVAS, 90)
    piece = LATTICE.cut(blank, PLACES[0])
    assert register(blank, piece, [(11.0, 7.0)]) == (11.0, 7.0)


def test_what_is_found_far_away_is_not_believed() -> None:
    other = LATTICE.canvas(pans.delivered(CameraPath('', lambda _: Pose(roll=90.0)), 0))
    guess = (20.0, 20.0)
    found = register(CANVAS, LATTICE.cut(other, (28.0, 28.0)), [guess])
    assert off(found, guess) <= 8.0 * 2**0.5
