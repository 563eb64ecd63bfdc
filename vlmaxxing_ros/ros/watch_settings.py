# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The settings of one standing question, from a parameter file or from ~/watch.

Knows nothing of rclpy: `parameters.py` turns them into ROS parameters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from vlmaxxing_ros.engine.config import check, setting
from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.region import Region


@dataclass(frozen=True, kw_only=True)
class WatchConfig:
    """Settings of one standing question; their parameters are called `<id>.<name>`.

    Raises:
        ValueError: a value is of the wrong type or out of its range, or cannot be asked.
    """

    question: str = setting('', 'what is asked', fixed=True)
    choices: tuple[str, ...] = setting(
        ('',),
        "answers that are scored against each other; ['']: an open question",
        fixed=True,
    )
    camera: str = setting('', 'camera that it is about; empty: the first one', fixed=True)
    period: float = setting(
        0.0,
        'time between two answers at most, while images come; 0: it is asked when something '
        'changes',
        unit='s',
        minimum=0.0,
        fixed=True,
    )
    on_change: tuple[float, ...] = setting(
        (0.0, 0.0, 1.0, 1.0),
        'region in which change matters: x, y, width and height in fractions of the image',
        unit='ratio',
        fixed=True,
    )
    changed_blocks: int = setting(
        1,
        'blocks of the region that must have changed before it is asked again',
        unit='blocks',
        minimum=1,
        maximum=16384,
        fixed=True,
    )
    hold: float = setting(
        0.0,
        'another answer counts once it has held for so long, in the time of the images',
        unit='s',
        minimum=0.0,
        fixed=True,
    )
    min_probability: float = setting(
        0.0,
        'probability of the best choice below which an answer does not count',
        unit='ratio',
        minimum=0.0,
        maximum=1.0,
        fixed=True,
    )
    deadline: float = setting(
        0.0,
        "deadline of each question; 0: the node's",
        unit='s',
        minimum=0.0,
        maximum=86400.0,
        fixed=True,
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            check(spec, getattr(self, spec.name))
        if len(self.on_change) != 4:
            raise ValueError(
                f'on_change has {len(self.on_change)} numbers: write [x, y, width, height]'
            )
        self.region()
        try:
            Question(**self.asked)
        except InvalidRequest as error:
            raise ValueError(str(error)) from error
        if self.min_probability and not self.asked['choices']:
            raise ValueError('min_probability needs choices: give them, or leave it at 0')

    def region(self) -> Region:
        """Where change matters."""
        return Region(*self.on_change)

    @property
    def asked(self) -> dict[str, Any]:
        """The fields of the engine's question."""
        return {'text': self.question, 'choices': () if self.choices == ('',) else self.choices}


def check_watch_id(name: str) -> None:
    """Refuse what cannot be the id of a watch.

    Raises:
        ValueError: it cannot; the text says what can.
    """
    if not re.fullmatch('[A-Za-z][A-Za-z0-9_]{0,63}', name) or name == 'qos_overrides':
        raise ValueError(
            f'{name!r} is no usable id of a watch: it must begin with a letter and go on with '
            'letters, digits and underscores, 64 at most'
        )
