# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The tools that the integration tests stand on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Spawn = Callable[..., object]


def test_this_test_process_has_a_ros_domain_of_its_own(spawn: Spawn) -> None:
    claim = 'from domain_coordinator import domain_id\nwith domain_id() as d: print("domain", d)'
    other = spawn(sys.executable, '-c', claim).wait_for('domain ').split()[1]
    assert os.environ['ROS_DOMAIN_ID'] != other


def test_a_process_is_waited_for_by_what_it_prints(spawn: Spawn) -> None:
    process = spawn(sys.executable, '-c', 'print("one"); print("two words"); raise SystemExit(3)')
    assert process.wait_for('words') == 'two words'
    assert process.wait() == 3
    assert process.output == 'one\ntwo words'


def test_a_process_that_ends_without_the_words_fails_the_test_at_once(spawn: Spawn) -> None:
    process = spawn(sys.executable, '-c', 'raise SystemExit("broken")')
    with pytest.raises(pytest.fail.Exception, match=r'ended with 1(.|\n)*broken'):
        process.wait_for('ready', timeout=600.0)


def test_interrupting_a_process_is_ctrl_c(spawn: Spawn) -> None:
    code = 'import time\ntry: print("up"), time.sleep(600)\nexcept KeyboardInterrupt: print("bye")'
    process = spawn(sys.executable, '-c', code)
    process.wait_for('up')
    assert process.interrupt() == 0
    assert process.output == 'up\nbye'


def test_a_process_that_ignores_ctrl_c_is_gone_after_closing(spawn: Spawn) -> None:
    code = 'import signal, time; signal.signal(2, signal.SIG_IGN); print("deaf"); time.sleep(600)'
    process = spawn(sys.executable, '-c', code)
    process.wait_for('deaf')
    process.close(grace=0.2)
    assert not process.running
    assert not Path(f'/proc/{process.pid}').exists()
