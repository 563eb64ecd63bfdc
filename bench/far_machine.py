# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A second machine on this one: processes behind a link that is narrow and can be cut.

Linux namespaces: a process that `island` has put on a network of its own adds another to it.
Nothing of the real network is touched, and all of it is gone with the processes; no root is needed
where users may make namespaces.  Knows nothing of ROS.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

NEAR, FAR = '10.73.0.1', '10.73.0.2'
"""Addresses of the process's own machine and of the other one."""

RATE = '20mbit'
"""What the link carries each way; a raw image of 640x480 at 30 Hz would take 221 Mbit/s."""

_LINK = 'wire'  # name of either end
# Shared memory of its own: middlewares would otherwise meet there, whatever becomes of the link.
_SET_UP = 'mount -t tmpfs tmpfs /dev/shm && ip link set lo up && '


def island(command: Sequence[str]) -> list[str]:
    """The command, on a network and with shared memory of its own."""
    script = f'{_SET_UP} exec "$@"'
    apart = ('unshare', '--map-root-user', '--net', '--mount', 'sh', '-c', script, 'sh')
    return list(_alone(apart, command))


def why_not() -> str:
    """Why there can be no second machine here; empty: there can."""
    missing = [tool for tool in ('ip', 'tc', 'unshare', 'nsenter') if shutil.which(tool) is None]
    if missing:
        return f'{", ".join(missing)}: not installed (iproute2, util-linux)'
    shaped = 'ip link add wire type veth && tc qdisc add dev wire root tbf rate 1mbit burst 9k'
    tried = subprocess.run(
        island(['sh', '-c', f'{shaped} latency 9ms']), capture_output=True, text=True, check=False
    )
    return f'namespaces are not permitted: {tried.stderr.strip()}' if tried.returncode else ''


class FarMachine:
    """The other machine, of a process that is on an island.

    Raises:
        subprocess.CalledProcessError: this process is not on one.
    """

    def __init__(self) -> None:
        # `cat` ends with this process, and the other machine with it.
        there = _alone(('unshare', '--net', '--mount'), ('sh', '-c', f'{_SET_UP} echo && exec cat'))
        self._holder = subprocess.Popen(there, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        pid = str(self._holder.pid)
        peer = ('peer', 'name', _LINK, 'netns', pid)
        _run('ip', 'link', 'add', _LINK, 'type', 'veth', *peer)
        for address, to_run in ((NEAR, lambda *command: command), (FAR, self.command)):
            _run(*to_run('ip', 'address', 'add', f'{address}/24', 'dev', _LINK))
            _run(*to_run('ip', 'link', 'set', _LINK, 'up'))
            limit = ('tbf', 'rate', RATE, 'burst', '64k', 'latency', '50ms')
            _run(*to_run('tc', 'qdisc', 'add', 'dev', _LINK, 'root', *limit))

    def command(self, *command: str) -> tuple[str, ...]:
        """A command as it runs there."""
        return _alone(('nsenter', '--target', str(self._holder.pid), '--net', '--mount'), command)

    def cut(self) -> None:
        """Nothing comes through from now on."""
        _run('ip', 'link', 'set', _LINK, 'down')

    def restore(self) -> None:
        """As it was before."""
        _run('ip', 'link', 'set', _LINK, 'up')

    def close(self) -> None:
        """The other machine is gone; processes there are to be ended before."""
        self._holder.kill()
        self._holder.communicate()


def _alone(tool: Sequence[str], command: Sequence[str]) -> tuple[str, ...]:
    """A tool and the command that it runs; a preloaded OpenBLAS would start threads in the tool.

    A process of several threads can enter no namespace.
    """
    preloaded = os.environ.get('LD_PRELOAD')
    again = ('env', f'LD_PRELOAD={preloaded}') if preloaded else ()
    return ('env', '--unset=LD_PRELOAD', *tool, *again, *command)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
