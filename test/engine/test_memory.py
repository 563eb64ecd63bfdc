# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How much memory there is, and which errors say that it ran out."""

from __future__ import annotations

import math
import os
import sys
import threading
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from scarcity import little_memory

from vlmaxxing_ros.engine.memory import leave_thread, memory_left, memory_size, ran_out, require

PHYSICAL = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')


def test_what_python_raises_is_recognized() -> None:
    with pytest.raises(MemoryError) as numpy_says:
        np.empty(1 << 60, np.uint8)
    assert ran_out(numpy_says.value)


@pytest.mark.parametrize(
    'text',
    [
        '[metal::malloc] Attempting to allocate 9 bytes which is greater than the maximum allowed '
        'buffer size of 8 bytes.',
        '[METAL] Command buffer execution failed: Insufficient Memory (00000008)',
        'cudaMallocAsync(&p, n, s) failed: out of memory',
    ],
)
def test_what_gpus_say_is_recognized(text: str) -> None:
    """As they are reported: none is here, and on a CPU MLX says nothing but SIGSEGV."""
    assert ran_out(RuntimeError(text))


def test_another_failure_is_none_of_memory() -> None:
    with pytest.raises(ValueError) as other:  # noqa: PT011
        mx.eval(mx.zeros(3) + mx.zeros(4))
    assert not ran_out(other.value)
    assert not ran_out(RuntimeError('the model failed'))


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_it_is_the_machine_s_where_nothing_limits_it(tmp_path: Path) -> None:
    assert memory_size(tmp_path) == PHYSICAL
    assert 0 < memory_size() <= PHYSICAL


@pytest.mark.parametrize('place', ['', 'system.slice/', 'system.slice/node.service/'])
def test_a_container_s_limit_counts_wherever_above_it_stands(tmp_path: Path, place: str) -> None:
    write(tmp_path, 'proc/self/cgroup', '0::/system.slice/node.service\n')
    write(tmp_path, 'sys/fs/cgroup/memory.max', 'max\n')
    write(tmp_path, f'sys/fs/cgroup/{place}memory.max', '1000000\n')
    assert memory_size(tmp_path) == 1_000_000


def test_so_does_the_older_kind_of_limit(tmp_path: Path) -> None:
    write(tmp_path, 'proc/self/cgroup', '9:name=systemd:/\n4:cpu,memory:/docker/1\n0::/\n')
    write(tmp_path, 'sys/fs/cgroup/memory/memory.limit_in_bytes', '2000000\n')
    assert memory_size(tmp_path) == 2_000_000


def test_what_is_left_is_what_the_system_says(tmp_path: Path) -> None:
    write(tmp_path, 'proc/self/statm', '1000 200 30 0 0 0 0\n')
    write(tmp_path, 'proc/meminfo', 'MemFree: 1 kB\nMemAvailable:    2000 kB\n')
    assert memory_left(tmp_path) == 2_048_000
    write(tmp_path, 'proc/self/cgroup', '0::/\n')
    write(tmp_path, 'sys/fs/cgroup/memory.max', '1000000\n')
    assert memory_left(tmp_path) == 1_000_000 - 200 * os.sysconf('SC_PAGE_SIZE')
    assert memory_left(tmp_path / 'a Mac') == math.inf


def test_a_card_s_memory_is_its_own_whatever_the_machine_has(tmp_path: Path) -> None:
    """As MLX's CUDA says it: fresh at each call, and of everybody who uses the card."""
    card = {'device_name': 'a card', 'total_memory': 64 * PHYSICAL, 'free_memory': 3_000_000}
    assert memory_size(tmp_path, card) == 64 * PHYSICAL
    assert memory_left(tmp_path, card) == 3_000_000


def test_of_memory_that_a_gpu_shares_it_is_what_the_gpu_works_on(tmp_path: Path) -> None:
    """As MLX's Metal says it, which never changes: what MLX holds comes off."""
    mx.clear_cache()
    held = mx.zeros((5_000_000,), mx.uint8)
    mx.eval(held)
    shared = {'memory_size': PHYSICAL, 'max_recommended_working_set_size': PHYSICAL * 3 // 4}
    assert memory_size(tmp_path, shared) == PHYSICAL * 3 // 4
    before = memory_left(tmp_path, shared)
    assert before <= PHYSICAL * 3 // 4 - 5_000_000
    more = mx.zeros((70_000_000,), mx.uint8)
    mx.eval(more)
    assert memory_left(tmp_path, shared) <= before - 60_000_000
    write(tmp_path, 'proc/self/cgroup', '0::/\n')
    write(tmp_path, 'sys/fs/cgroup/memory.max', '1000000\n')
    assert memory_size(tmp_path, shared) == 1_000_000


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux refuses memory on request')
def test_what_cannot_be_had_is_refused_before_it_is_asked_for() -> None:
    require(1_000_000, 'a little')
    with little_memory(10_000_000):
        require(1_000_000, 'a little')
        with pytest.raises(MemoryError, match=r'a frame takes about 0\.05 GB'):
            require(50_000_000, 'a frame')


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux refuses memory on request')
def test_what_mlx_keeps_for_later_is_given_back_for_it() -> None:
    mx.eval(mx.zeros((50_000_000,), mx.uint8) + 1)
    with little_memory(10_000_000):
        mx.eval(mx.zeros((5_000_000,), mx.uint8) + 1)
        require(5_000_000, 'as much again')


def test_a_thread_that_leaves_gives_back_what_mlx_keeps_for_it_and_for_no_other() -> None:
    said: list[str] = []

    def work() -> None:
        stream = mx.new_stream(mx.cpu)
        mx.eval(mx.add(1, 2, stream=stream))
        leave_thread()
        try:
            mx.eval(mx.add(1, 2, stream=stream))
        except RuntimeError as error:
            said.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert 'no Stream' in ''.join(said)
    assert mx.add(1, 2).item() == 3
