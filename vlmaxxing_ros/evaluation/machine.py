# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What an evaluation runs on: device, processor, system, and the versions that compute."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import mlx.core as mx

import vlmaxxing_ros


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    return {
        'device': _device(),
        'processor': _processor(),
        'system': f'{platform.system()} {platform.machine()}',
        'python': platform.python_version(),
        'vlmaxxing_ros': vlmaxxing_ros.__version__,
        'mlx': _version('mlx'),
        'mlx_vlm': _version('mlx-vlm'),
    }


def _device() -> str:
    if mx.default_device() == mx.Device(mx.cpu):
        return 'CPU'
    return str(mx.device_info().get('device_name', 'GPU'))


def _processor() -> str:
    try:
        for line in Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines():
            if line.startswith('model name'):
                return line.partition(':')[2].strip()
    except OSError:
        pass
    return platform.processor() or 'unknown'


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return 'unknown'
