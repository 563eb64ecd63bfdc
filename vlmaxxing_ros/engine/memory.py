# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How much memory this process may have, how much is left, and whether an error says that none is.

MLX on a CPU (0.32.4) does not look whether it was given what it asked for: the process ends with
SIGSEGV.  So large things are asked about first.  Knows the machine and MLX's words; knows nothing
of models or what they need.
"""

from __future__ import annotations

import math
import os
import re
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# MLX has no error of its own for this: what its allocators and Metal's driver say.
_SAYS = re.compile(
    r'unable to allocate|out of memory|insufficient memory|maximum allowed buffer size', re.I
)


def ran_out(error: BaseException) -> bool:
    """Whether an error is about memory that was not to be had, from Python or from MLX."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and _SAYS.search(str(error)) is not None
    )


def leave_thread() -> None:
    """To be called last on a thread that may have used MLX: what is kept for it is given back.

    MLX keeps compiled functions per thread, Python objects among them.  It would free them when the
    thread has ended, without the interpreter's lock: SIGSEGV now and then (its issue 4347).
    """
    if mlx := sys.modules.get('mlx.core'):
        mlx.clear_streams()


def memory_size(root: Path = Path('/'), gpu: Mapping[str, Any] | None = None) -> int:
    """Bytes that a model may use: the machine's, a container's limit, or what a GPU can work on.

    `root` is where the system's files lie, `gpu` what MLX says of the GPU; by default it is asked.
    """
    gpu = _gpu() if gpu is None else gpu
    if 'total_memory' in gpu:  # a card has its own
        return int(gpu['total_memory'])
    machine = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    return min([machine, *_limits(root), *_working_set(gpu)])


def require(need: int, what: str) -> None:
    """Make sure that memory can be had; what MLX keeps for later is given back for it.

    Raises:
        MemoryError: it cannot, as far as the system tells.
    """
    if need <= memory_left():
        return
    import mlx.core as mx

    mx.clear_cache()
    if need > (left := memory_left()):
        raise MemoryError(
            f'{what} takes about {need / 1e9:.2g} GB of memory, and {left / 1e9:.2g} GB are left'
        )


def memory_left(root: Path = Path('/'), gpu: Mapping[str, Any] | None = None) -> float:
    """Bytes that a model can still get; infinite where nothing tells.  Arguments: `memory_size`."""
    gpu = _gpu() if gpu is None else gpu
    if 'free_memory' in gpu:  # a card says so itself, of everybody who uses it
        return int(gpu['free_memory'])
    return max(0, min([*_system_left(root), *_working_set_left(gpu)], default=math.inf))


def _system_left(root: Path) -> list[int]:
    """What the system, and the limits that it sets this process, still allow."""
    try:
        pages, resident = map(int, (root / 'proc/self/statm').read_text().split()[:2])
        found = re.search(r'^MemAvailable: +(\d+) kB', (root / 'proc/meminfo').read_text(), re.M)
    except OSError:  # not Linux
        return []
    size = os.sysconf('SC_PAGE_SIZE')
    left = [limit - resident * size for limit in _limits(root)]
    left += [1024 * int(found[1])] if found else []
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    return left + ([most - pages * size] if most != resource.RLIM_INFINITY else [])


def _gpu() -> Mapping[str, Any]:
    """What MLX says of the GPU that it computes on; nothing where that is the CPU.

    Of CUDA's cards it says `total_memory` and `free_memory`, of Metal `memory_size`, the machine's,
    and `max_recommended_working_set_size`, beyond which macOS takes memory away again.
    """
    import mlx.core as mx  # who only wants to know what an error says may have none

    return {} if mx.default_device() == mx.Device(mx.cpu) else mx.device_info()


def _working_set(gpu: Mapping[str, Any]) -> list[int]:
    names = ('max_recommended_working_set_size', 'memory_size')
    return [int(gpu[name]) for name in names if name in gpu]


def _working_set_left(gpu: Mapping[str, Any]) -> list[int]:
    """What MLX holds comes off, with what it keeps for later: `require` has that given back."""
    if not (sizes := _working_set(gpu)):
        return []
    import mlx.core as mx

    held = mx.get_active_memory() + mx.get_cache_memory()
    return [size - held for size in sizes]


def _limits(root: Path) -> list[int]:
    """Limits of the control groups that the process is in (version 1 and 2), and of those above."""
    try:
        lines = (root / 'proc/self/cgroup').read_text().splitlines()
    except OSError:  # not Linux
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(':', 2)
        if not controllers:
            base, name = root / 'sys/fs/cgroup', 'memory.max'
        elif 'memory' in controllers.split(','):
            base, name = root / 'sys/fs/cgroup/memory', 'memory.limit_in_bytes'
        else:
            continue
        # Inside a container the path may be the host's, which is not there: its root is.
        group = base / path.lstrip('/')
        for folder in (group, *group.parents):
            if folder == base.parent:
                break
            found += _number(folder / name)
    return found


def _number(file: Path) -> list[int]:
    """What a file of one number holds; nothing where there is none (`max`: no limit)."""
    try:
        return [int(file.read_text())]
    except (OSError, ValueError):
        return []
