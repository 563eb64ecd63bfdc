# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The node's own settings and those of each camera, declared as the engine declares its own.

Knows nothing of rclpy: `parameters.py` turns all of them into ROS parameters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields

from vlmaxxing_ros.engine.config import EngineConfig, check, setting
from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.seeing.region import Region
from vlmaxxing_ros.ros.compressed import MAX_PIXELS
from vlmaxxing_ros.ros.images import Scaling, check_range
from vlmaxxing_ros.ros.ticket import Request
from vlmaxxing_ros.ros.watch_settings import WatchConfig, check_watch_id

_NO_REGION = (0.0, 0.0, 0.0, 0.0)
TRANSPORTS = ('raw', 'compressed', 'compressedDepth', 'ffmpeg')  # image_transport's names


@dataclass(frozen=True, kw_only=True)
class NodeConfig:
    """Settings of the node as a whole.

    Raises:
        ValueError: a value is of the wrong type or out of its range.
    """

    cameras: tuple[str, ...] = setting(
        ('camera',),
        'names of the cameras; camera <c> is read from the topic <c>/image and has a session of '
        'its own',
        fixed=True,
    )
    autostart: bool = setting(
        False,
        'configure and activate at start, without a lifecycle manager',
        fixed=True,
    )
    deadline: float = setting(
        30.0,
        'deadline of a question that names none',
        unit='s',
        minimum=0.001,
        maximum=86400.0,
    )
    max_waiting_questions: int = setting(
        16,
        'questions that may wait for their turn; a further one takes the place of one whose asker '
        'may be gone, or is answered OVERLOADED',
        unit='questions',
        minimum=1,
        maximum=1024,
    )
    max_question_characters: int = setting(
        20000,
        'length of a question, its choices and its schema together; longer ones are refused',
        unit='characters',
        minimum=1,
        maximum=10_000_000,
    )
    watches: tuple[str, ...] = setting(
        ('',),
        'ids of standing questions that are there from the start; others come through ~/watch; '
        "['']: none",
        fixed=True,
    )
    max_watches: int = setting(
        16,
        'standing questions at most; further ones are refused',
        unit='watches',
        minimum=1,
        maximum=256,
    )
    watch_duty: float = setting(
        0.2,
        "share of the time for which standing questions' answers may keep the model busy; 0: they "
        'are not asked',
        unit='ratio',
        minimum=0.0,
        maximum=1.0,
    )
    max_image_pixels: int = setting(
        MAX_PIXELS,
        'pixels that the header of a compressed image or video may claim; larger ones are dropped '
        'undecoded',
        unit='pixels',
        minimum=1,
        maximum=1_000_000_000,
        fixed=True,
    )
    diagnostics_period: float = setting(
        1.0,
        'time between two messages on /diagnostics',
        unit='s',
        minimum=0.01,
        maximum=3600.0,
        fixed=True,
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            check(spec, getattr(self, spec.name))
        for name in self.cameras:
            if not re.fullmatch('[A-Za-z][A-Za-z0-9_]*', name) or name == 'qos_overrides':
                raise ValueError(
                    f'cameras: {name!r} is no usable name: it must begin with a letter and go on '
                    'with letters, digits and underscores; remap its topic to reach any other'
                )
        if not self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise ValueError(f'cameras must be one or more different names, not {self.cameras}')
        if self.watches != ('',):
            for name in self.watches:
                check_watch_id(name)
            if len(set(self.watches)) != len(self.watches):
                raise ValueError(f'watches must be different ids, not {self.watches}')


@dataclass(frozen=True, kw_only=True)
class CameraConfig:
    """Settings of one camera; their parameters are called `<camera>.<name>`.

    Raises:
        ValueError: a value is of the wrong type or out of its range.
    """

    transport: str = setting(
        'raw',
        'type of the image topic; raw: sensor_msgs/Image, compressed and compressedDepth: '
        'sensor_msgs/CompressedImage, ffmpeg: ffmpeg_image_transport_msgs/FFMPEGPacket',
        choices=TRANSPORTS,
        fixed=True,
    )
    base_topic: str = setting(
        '',
        'topic of image_transport, such as /front/image_raw: it is read if the transport is raw, '
        'and <base_topic>/<transport> otherwise; empty: <c>/image is read, whatever the transport',
        fixed=True,
    )
    depth_range: tuple[float, ...] = setting(
        (0.0, 0.0),
        'near (white) and far (black) bound of depth images (16UC1, 32FC1) shown as grey; '
        '[0, 0]: depth images are refused',
        unit='m',
        fixed=True,
    )
    mono16_range: tuple[float, ...] = setting(
        (0.0, 0.0),
        'black and white bound of mono16 images shown as grey, and of colours and Bayer patterns '
        'of 16 bits; [0, 0]: they are refused',
        unit='sensor counts',
        fixed=True,
    )

    protect: tuple[float, ...] = setting(
        _NO_REGION,
        'regions that are paid first and at once: x, y, width and height of each in fractions of '
        'the image, one region after the other; [0, 0, 0, 0]: none',
        unit='ratio',
        fixed=True,
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            check(spec, getattr(self, spec.name))
        self.scaling()
        self.regions()
        for name in TRANSPORTS[1:]:
            if self.base_topic.endswith(f'/{name}'):
                raise ValueError(
                    f'base_topic must be without its /{name}, which the transport adds: '
                    f'{self.base_topic.removesuffix(f"/{name}")}'
                )

    def topic(self, camera: str) -> str:
        """The topic to read, before it is remapped."""
        if not self.base_topic:
            return f'{camera}/image'
        return self.base_topic if self.transport == 'raw' else f'{self.base_topic}/{self.transport}'

    def regions(self) -> tuple[Region, ...]:
        """The regions that are protected."""
        numbers = self.protect
        if numbers == _NO_REGION:
            return ()
        if len(numbers) % 4:
            raise ValueError(
                f'protect has {len(numbers)} numbers: write x, y, width and height of each region'
            )
        try:
            return tuple(Region(*numbers[i : i + 4]) for i in range(0, len(numbers), 4))
        except ValueError as error:
            raise ValueError(f'protect: {error}') from error

    def scaling(self) -> Scaling:
        """The ranges in the form that `images.py` takes."""
        return Scaling(
            depth_range=check_range(self.depth_range, 'depth_range'),
            mono16_range=check_range(self.mono16_range, 'mono16_range'),
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set: the node, its cameras and watches by name, the engine.

    Raises:
        ValueError: a watch cannot be asked with these settings, or there are too many.
    """

    node: NodeConfig = field(default_factory=NodeConfig)
    cameras: dict[str, CameraConfig] = field(default_factory=dict)
    watches: dict[str, WatchConfig] = field(default_factory=dict)
    engine: EngineConfig = field(default_factory=EngineConfig)

    def __post_init__(self) -> None:
        if len(self.watches) > self.node.max_watches:
            raise ValueError(
                f'watches: there are {len(self.watches)}, more than {self.node.max_watches} '
                '(max_watches)'
            )
        for name, watch in self.watches.items():
            request = Request(asked=watch.asked, camera=watch.camera, deadline=watch.deadline)
            try:
                request.check(list(self.node.cameras), self.node.max_question_characters)
            except InvalidRequest as error:
                raise ValueError(f'{name}: {error}') from error
