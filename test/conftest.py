# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What every test shares: a ROS domain of its own, and real processes that always end.

Under pytest-xdist (`make test`) whatever starts processes runs one after the other on one worker,
and the rest, file by file, on the other ones, which give way to it.  Knows nothing of the package
under test.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from domain_coordinator import domain_id

ROOT = Path(__file__).resolve().parents[1]

# A shell's background job ignores SIGINT, and so would every process that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Set while pytest starts, before anything imports rclpy; child processes inherit it.
_domain = ExitStack()
os.environ['ROS_DOMAIN_ID'] = str(_domain.enter_context(domain_id()))
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
for _variable in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):
    os.environ[_variable] = str(ROOT / 'config' / 'fastdds_shm.xml')  # Jazzy's name, then Kilted's
if (Path(sys.prefix) / 'share' / 'ament_index').is_dir():  # the wheels' ROS
    os.environ.setdefault('AMENT_PREFIX_PATH', sys.prefix)


_PROCESSES = (
    'test/integration/',
    'test/evaluation/test_live_replay.py',
    'test/ros/test_top.py',
    'test/test_conftest.py',
    'test/test_launch.py',
    'test/test_soak.py',
)
"""Where processes are started: by `spawn`, or in any other way that takes the machine."""
_WAY = 5  # niceness of everything else
_parallel = 'PYTEST_XDIST_WORKER' in os.environ


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A worker for processes, the rest by file (`loadgroup` does nothing with pytest 9.2)."""
    from xdist.scheduler import LoadScopeScheduling

    class ProcessesApart(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _PROCESSES[0] if nodeid.startswith(_PROCESSES) else nodeid.partition('::')[0]

    config.option.loadscopereorder = False
    return ProcessesApart(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes first: they take longest."""
    if _parallel:
        items.sort(key=lambda item: not item.nodeid.startswith(_PROCESSES))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that computes must not take the time of processes that talk to each other."""
    global _parallel
    if _parallel and not item.nodeid.startswith(_PROCESSES):
        _parallel = False  # once: nobody takes niceness back
        os.nice(_WAY)


def pytest_unconfigure() -> None:
    """Give the domain back."""
    _domain.close()


class RunningProcess:
    """A child process in a process group of its own, its output collected line by line.

    stdout and stderr are merged, in the order in which they were written.
    """

    def __init__(self, command: tuple[str, ...], env: dict[str, str]) -> None:
        self.command = command
        self._lines: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors='replace',
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line.rstrip('\n'))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def output(self) -> str:
        """Everything written so far."""
        with self._changed:
            return '\n'.join(self._lines)

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def wait_for(self, text: str, timeout: float = 60.0) -> str:
        """Wait up to `timeout` s for a line that contains `text`; return it, or fail the test."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                for line in self._lines[seen:]:
                    if text in line:
                        return line
                seen = len(self._lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    break
                self._changed.wait(left)
            why = f'ended with {self._process.wait()}' if self._ended else f'not in {timeout} s'
        pytest.fail(f'no {text!r}, {why}: {" ".join(self.command)}\n{self.output}')

    def wait(self, timeout: float = 60.0) -> int:
        """Wait up to `timeout` s for the end; return the exit status, or fail the test."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            pytest.fail(f'still running after {timeout} s: {" ".join(self.command)}\n{self.output}')
        self._reader.join(timeout)
        return status

    def interrupt(self, timeout: float = 20.0) -> int:
        """End it as Ctrl-C does, and return the exit status; fail the test if it will not end."""
        if self.running:
            os.killpg(self.pid, signal.SIGINT)
        return self.wait(timeout)

    def close(self, grace: float = 5.0) -> None:
        """Leave nothing of it behind: SIGINT, then after `grace` s SIGKILL, to the whole group."""
        for number in (signal.SIGINT, signal.SIGKILL):
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                break
            try:
                self._process.wait(grace)
            except subprocess.TimeoutExpired:
                continue
        self._reader.join(grace)


@pytest.fixture
def spawn(request: pytest.FixtureRequest) -> Iterator[Callable[..., RunningProcess]]:
    """Start real processes: `spawn('program', 'argument', ...)`, `env={...}` added to ours.

    They are closed, and killed if need be, when the test ends; pytest shows what they wrote if it
    failed.
    """
    assert request.node.nodeid.startswith(_PROCESSES), 'name the file in _PROCESSES'
    started: list[RunningProcess] = []

    def start(*command: str | Path, env: dict[str, str] | None = None) -> RunningProcess:
        unbuffered = {**os.environ, 'PYTHONUNBUFFERED': '1', **(env or {})}
        process = RunningProcess(tuple(map(str, command)), unbuffered)
        started.append(process)
        return process

    yield start
    for process in reversed(started):
        process.close()
        print(f'{" ".join(process.command)}\n{process.output}\n')
