# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""`vlmaxxing_doctor`: what this machine has, what is wrong with it, and what to do.

`--topic` listens to an image topic and tells whether its frames arrive whole; `--measure` tests
and times the model.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import rclpy
from rclpy.qos import qos_profile_sensor_data
from rclpy.utilities import get_rmw_implementation_identifier
from rich.console import Console
from sensor_msgs.msg import CompressedImage, Image

from vlmaxxing_ros.engine.errors import EngineError
from vlmaxxing_ros.ros.dds import VARIABLES, profile
from vlmaxxing_ros.ros.messages import to_ns

PACKAGES = ('mlx', 'mlx-vlm', 'transformers', 'numpy', 'opencv-python', 'rosbags', 'llguidance')
_TYPES = {'sensor_msgs/msg/Image': Image, 'sensor_msgs/msg/CompressedImage': CompressedImage}
_MARKS = {'good': '[green]✓[/]', 'note': '[yellow]![/]', 'bad': '[red]✗[/]'}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `verdict` is good, note or bad; `text` says what to do about it."""

    verdict: str
    text: str


def main() -> int:
    """Look at everything; the exit status is 1 if something is bad."""
    parser = argparse.ArgumentParser(prog='vlmaxxing_doctor', description='Check this machine.')
    parser.add_argument('--model', default='nano', help='nano, a folder or a hub id (loaded)')
    parser.add_argument('--topic', help='an image topic to listen to')
    parser.add_argument('--seconds', type=float, default=5.0, help='how long to listen')
    parser.add_argument('--measure', action='store_true', help='test and time the model (minutes)')
    parser.add_argument('--out', default='vlmaxxing_measure.json', help='what --measure writes')
    options = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    bad = False
    findings = _findings(options.model, options.topic, options.seconds)
    for finding in chain(findings, _measured(options.model, options.out, options.measure)):
        console.print(f'{_MARKS[finding.verdict]} {finding.text}')
        bad = bad or finding.verdict == 'bad'
    return 1 if bad else 0


def _findings(model: str, topic: str | None, seconds: float) -> Iterator[Finding]:
    yield _packages()
    yield conversion()
    yield video()
    try:
        yield from compute()
        yield from _model(model)
    except ImportError as error:
        yield Finding('bad', f'no model can be loaded: {error}: pip install "mlx[cpu]" mlx-vlm')
    yield from middleware()
    if topic:
        yield listen(topic, seconds)


def _measured(model: str, out: str, wanted: bool) -> Iterator[Finding]:
    if not wanted:
        return
    from vlmaxxing_ros.engine.families import load_family
    from vlmaxxing_ros.measure.report import measured

    try:
        family = load_family(model)
    except EngineError:
        return  # said already
    yield from (Finding(verdict, text) for verdict, text in measured(family, Path(out)))


def _packages() -> Finding:
    found, missing = [f'Python {platform.python_version()}'], []
    for name in PACKAGES:
        try:
            found.append(f'{name} {version(name)}')
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding('bad', f'not installed: {", ".join(missing)} (pip install them)')
    return Finding('good', ', '.join(found))


def conversion() -> Finding:
    """What converts images."""
    from vlmaxxing_ros.ros.bridge import Choice  # loaded late: the other checks work without it

    bridge = Choice().made()
    return Finding('good' if bridge.encodings else 'note', f'images are converted by {bridge}')


def video() -> Finding:
    """Whether topics with compressed video can be read."""
    try:
        return Finding('good', f'PyAV {version("av")} decodes H.264 and H.265 on topics')
    except PackageNotFoundError:
        return Finding('note', 'H.264 and H.265 on topics need PyAV: pip install av')


def compute() -> Iterator[Finding]:
    """What MLX computes on, and whether its matrix products are fast."""
    import mlx.core as mx  # loaded late: the other checks work without it

    device = mx.default_device()
    yield Finding('good', f'MLX computes on {device}')
    preloaded = 'openblas' in os.environ.get('LD_PRELOAD', '')
    if device == mx.Device(mx.cpu) and platform.system() == 'Linux' and not preloaded:
        yield Finding(
            'note',
            "MLX's Linux wheel has a slow BLAS.  On Debian: apt install libopenblas0-pthread, then "
            'start with LD_PRELOAD=/usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblas.so.0 '
            '(make does it by itself)',
        )


def _model(model: str) -> Iterator[Finding]:
    from vlmaxxing_ros.engine.families import load_family
    from vlmaxxing_ros.engine.families.table import describe

    start = time.monotonic()
    try:
        family = load_family(model)
    except EngineError as error:
        yield Finding('bad', f'model: {error}')
        return
    took = time.monotonic() - start
    yield Finding('good', f'model {model} loads in {took:.1f} s, family {type(family).__name__}')
    abilities = describe(family.capabilities)
    can = ', '.join(title for title, able in abilities.items() if able)
    cannot = ', '.join(title for title, able in abilities.items() if not able)
    yield Finding('good', f'it can: {can}' + (f'; it cannot: {cannot}' if cannot else ''))
    yield _long_stream(family)
    if type(family).capabilities.carry and not family.cache_bits:
        yield _carrying(family)


def _carrying(family: Any) -> Finding:
    """How far answers move where rows are carried."""
    from vlmaxxing_ros.engine.families.divergence import divergence

    result = divergence(family)
    return Finding('good' if result.ok else 'note', result.text)


def _long_stream(family: Any) -> Finding:
    """Whether a stream is still exact past the rows at which some kernels change their ways."""
    from vlmaxxing_ros.engine.families.self_test import long_test

    try:
        result = long_test(family)
    except Exception as error:  # whatever a model's code raises
        return Finding('bad', f'a long stream fails: {type(error).__name__}: {error}')
    return Finding('good' if result.ok else 'bad', result.text)


def middleware() -> Iterator[Finding]:
    """Which middleware carries the images, and whether large ones get through."""
    name = get_rmw_implementation_identifier()
    yield Finding('good', f'middleware {name}, domain {os.environ.get("ROS_DOMAIN_ID", "0")}')
    if 'fastrtps' not in name:
        return
    used = next((os.environ[v] for v in VARIABLES if os.environ.get(v)), '')
    if used and not os.path.isfile(used):
        yield Finding('bad', f'the Fast DDS profile {used} does not exist')
    elif used:
        yield Finding('good', f'Fast DDS profile {used}')
    else:
        yield Finding(
            'note',
            'Fast DDS loses raw images above about 0.5 MB with its default settings.  Our launch '
            f'file and player use {profile()}; start your camera driver with {VARIABLES[0]} '
            f'(Kilted: {VARIABLES[1]}) set to it, or send compressed images',
        )


def listen(topic: str, seconds: float) -> Finding:
    """Subscribe to an image topic as the node does, and say what arrives."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('vlmaxxing_doctor', context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        kinds = _wait_for_publisher(node, executor, topic, seconds)
        if not kinds:
            others = sorted(
                name
                for name, types in node.get_topic_names_and_types()
                if any(kind in _TYPES for kind in types)
            )
            there = f'images are on {", ".join(others)}' if others else 'nobody publishes images'
            return Finding('bad', f'nobody publishes on {topic} ({there})')
        kind = next((kind for kind in kinds if kind in _TYPES), '')
        if not kind:
            return Finding('bad', f'{topic} carries {", ".join(kinds)}, not images')
        stamps: list[int] = []
        sizes: list[int] = []

        def take(message: Any) -> None:
            stamps.append(to_ns(message.header.stamp))
            sizes.append(len(message.data))

        node.create_subscription(_TYPES[kind], topic, take, qos_profile_sensor_data)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            executor.spin_once(timeout_sec=0.1)
        return judge(topic, kind, stamps, sizes, seconds)
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()


def _wait_for_publisher(node: Any, executor: Any, topic: str, seconds: float) -> list[str]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.1)
        if found := node.get_publishers_info_by_topic(topic):
            return sorted({publisher.topic_type for publisher in found})
    return []


def judge(topic: str, kind: str, stamps: list[int], sizes: list[int], seconds: float) -> Finding:
    """Say what the frames that arrived in `seconds` mean.

    Lost frames leave gaps in the stamps, of two periods of the camera or more.
    """
    cure = (
        f'raw images are lost between processes: start the publisher with {VARIABLES[0]}='
        f'{profile()} (Kilted: {VARIABLES[1]}), or send compressed images'
    )
    if not stamps:
        return Finding(
            'bad', f'{topic} has a publisher, but no frame came in {seconds:g} s: {cure}'
        )
    rate = len(stamps) / seconds
    steps = [b - a for a, b in pairwise(stamps) if b > a]
    seen = f'{topic}: {rate:.1f} frames/s of {kind}, {max(sizes) / 1e6:.2f} MB'
    if not steps:
        return Finding('note', f'{seen}; the stamps do not advance: does the driver set them?')
    sent = (stamps[-1] - stamps[0]) / _period(steps) + 1
    lost = 1.0 - len(stamps) / sent
    if lost > 0.2:
        return Finding('bad', f'{seen}; about {lost:.0%} of the frames are missing: {cure}')
    return Finding('good', seen)


def _period(steps: list[int]) -> float:
    """The camera's period, whether its stamps jitter or most of its frames are lost.

    The median of the steps without a gap: those near the tenth percentile.  The smallest step
    would be too short by the jitter, the median of all of them a gap where most frames are lost.
    """
    short = sorted(steps)[len(steps) // 10]
    return median(step for step in steps if step < 1.5 * short)


if __name__ == '__main__':
    sys.exit(main())
