# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Two pictures that differ in the gripper alone, and what the built-in model says of them."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_camera import QUIET

QUESTION, CHOICES = 'Is the gripper open or closed?', ['open', 'closed']


class Pictures(NamedTuple):
    """A tabletop seen by a camera that spoils nothing."""

    open: np.ndarray
    closed: np.ndarray


def gripper_pictures() -> Pictures:
    """The first world in which the gripper is what moves first."""
    for seed in itertools.count():
        table = Tabletop(seed=seed, camera=QUIET)
        if table.events and table.events[0].kind in ('open', 'close'):
            event = table.events[0]
            shown = table.render(event.start), table.render(event.end)
            return Pictures(*(shown if event.kind == 'close' else reversed(shown)))
    raise AssertionError
