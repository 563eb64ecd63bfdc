# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A node that is left running: `python -m bench.soak --minutes 30 [--haste 5] [--out out/soak]`.

The real node with a model slower than its cameras; two cameras at 30 Hz, one of them on another
machine (`bench.far_machine`), which is killed now and then, and whose link is cut; four askers at
once, of which one is killed every ten seconds; every minute they pause, and the node is audited.
At the end: no question lost, every one with its status by its deadline, no audit that failed, no
failure in the diagnostics, no more memory than at first.  Writes soak.json and soak.svg; exit
status 1 where something of this does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from domain_coordinator import domain_id
from rclpy.executors import SingleThreadedExecutor
from std_srvs.srv import Trigger

from bench.far_machine import FAR, NEAR, FarMachine, island, why_not
from bench.live import model
from bench.soak_peers import LATE, LONGEST, is_busy
from bench.soak_report import Seen, judged, plot
from vlmaxxing_msgs.msg import FreshBudget
from vlmaxxing_ros.random_models.families import random_family
from vlmaxxing_ros.random_models.folder import save
from vlmaxxing_ros.ros.dds import use_profile

ROOT = Path(__file__).resolve().parents[1]
ASKERS = 4
KILL, LOSE = 10.0, 25.0  # s between two
AWAY = 8.0  # s for which a camera is lost
CUT, DARK = 40.0, 12.0  # s between two, and for which nothing comes through: more than a lease


class Soak:
    """The node, who surrounds it, and what is seen of it.

    Args:
        folder: of the model.
        scratch: for logs.
        haste: how many times as fast as usual everything happens.
        far: where the camera `back` is; None: it is here, and there is no link to cut.
    """

    def __init__(self, folder: Path, scratch: Path, haste: float, far: FarMachine | None) -> None:
        self.seen = Seen()
        self._scratch = scratch
        self._haste = haste
        self._far = far
        self._dice = random.Random(0)
        self._log = (scratch / 'node.log').open('w')
        given = ['-p', f'model:={folder}', '-p', 'cameras:=[front, back]', '-p', 'autostart:=true']
        given += [
            '-p',
            'max_blocks:=96',
            '-p',
            'token_budget:=1024',
            '-p',
            'keep_keyframes:=2',
            '-p',
            'diagnostics_period:=1.0',
            '-p',
            'back.transport:=compressed',
        ]
        program = Path(sys.executable).parent / 'vlmaxxing_node'
        self._node = self._start(program, '--ros-args', *given)
        self._cameras = {name: self._camera(name) for name in ('front', 'back')}
        self._askers: list[tuple[Any, Path]] = []
        self._finished: list[Path] = []
        self._started = 0
        self._ros = rclpy.create_node('soak')
        self._ros.create_subscription(DiagnosticArray, '/diagnostics', self._diagnosed, 10)
        self._ros.create_subscription(FreshBudget, '/vlmaxxing/fresh_budget', self._budgeted, 50)
        self._auditor = self._ros.create_client(Trigger, '/vlmaxxing/audit')
        self._auditing: Any = None
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._ros)

    def run(self, seconds: float) -> None:
        """Go on for so long."""
        while not self.seen.budgets:
            self._spin(0.1)
            self._check_node()
        while len(self._askers) < ASKERS:
            self._asker()
        while not any(path.stat().st_size for _, path in self._askers):  # they take time to come
            self._spin(0.1)
            self._check_node()
        start = time.monotonic()
        due = {'kill': KILL, 'lose': LOSE, 'find': LOSE + AWAY, 'cut': CUT, 'restore': CUT + DARK}
        every = {'kill': KILL, 'lose': LOSE, 'find': LOSE, 'cut': CUT, 'restore': CUT}
        while (now := time.monotonic() - start) < seconds:
            if len(self.seen.samples) <= now:
                self._sample(now)
            for what in [name for name, when in due.items() if now * self._haste >= when]:
                due[what] += every[what]
                getattr(self, f'_{what}')()
            self._audit()
            self._spin(0.05)
            self._check_node()
        self._end()

    def _check_node(self) -> None:
        if self._node.poll() is not None:
            raise RuntimeError(f'the node ended: see {self._log.name}')

    def _spin(self, seconds: float) -> None:
        self._executor.spin_once(timeout_sec=seconds)

    def _start(self, *command: Any, out: Any = None) -> subprocess.Popen[bytes]:
        environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHONFAULTHANDLER': '1'}
        told = [str(part) for part in command]
        return subprocess.Popen(told, stdout=out or self._log, stderr=self._log, env=environment)

    def _camera(self, name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, '-m', 'bench.soak_peers', 'camera', name]
        if name == 'back':
            command += ['compressed']  # raw images are more than the link carries
            if self._far is not None:
                peers = ('env', f'ROS_STATIC_PEERS={NEAR}')
                command = list(self._far.command(*peers, *command))
        return self._start(*command)

    def _asker(self) -> None:
        path = self._scratch / f'asker{self._started}'
        with path.open('w') as out:
            program = (sys.executable, '-m', 'bench.soak_peers', 'asker')
            process = self._start(*program, self._started, self._haste, out=out)
            self._askers.append((process, path))
        self._started += 1

    # What happens now and then

    def _sample(self, now: float) -> None:
        status = Path(f'/proc/{self._node.pid}/statm').read_text().split()
        resident = int(status[1]) * resource.getpagesize() / 2**20
        self.seen.samples.append(
            {'s': now, 'resident_mb': resident, 'cache_mb': self.seen.cache_bytes / 2**20}
        )

    def _kill(self) -> None:
        asking = [asker for asker in self._askers if asker[1].stat().st_size]
        if not asking:  # a slow machine: none has come so far
            return
        process, path = self._dice.choice(asking)
        self._askers.remove((process, path))
        process.kill()
        process.wait()
        self._finished.append(path)
        self.seen.killed += 1
        self._asker()

    def _lose(self) -> None:
        self._cameras['back'].kill()
        self._cameras['back'].wait()
        self.seen.lost_cameras += 1

    def _find(self) -> None:
        if self._cameras['back'].poll() is not None:
            self._cameras['back'] = self._camera('back')

    def _cut(self) -> None:
        if self._far is not None:
            self._far.cut()
            self.seen.cut_links += 1

    def _restore(self) -> None:
        if self._far is not None:
            self._far.restore()

    def _audit(self) -> None:
        """Ask for an audit while nobody asks anything else, one after the other."""
        if not is_busy(self._haste) and (self._auditing is None or self._auditing.done()):
            self._auditing = self._auditor.call_async(Trigger.Request())
            self._auditing.add_done_callback(self._audited)

    def _audited(self, future: Any) -> None:
        response = future.result()
        self.seen.audits.append(response.message)
        if not response.success:
            self.seen.bad_audits.append(response.message)

    def _diagnosed(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {entry.key: entry.value for entry in status.values}
            if int(values.get('failures', 0)):
                self.seen.failures.add(status.message)

    def _budgeted(self, message: FreshBudget) -> None:
        self.seen.budgets += 1
        self.seen.cache_bytes = float(message.cache_bytes)

    def _end(self) -> None:
        """Askers come to their end, as people do: what each has asked last is waited for."""
        for process, _ in self._askers:
            process.terminate()
        deadline = time.monotonic() + LATE + LONGEST
        while any(process.poll() is None for process, _ in self._askers):
            self._spin(0.1)
            if time.monotonic() > deadline:
                break
        for process, path in self._askers:
            process.kill()
            process.wait()
            self._finished.append(path)
        for path in self._finished:
            lines = path.read_text().splitlines()
            self.seen.answers += [json.loads(line) for line in lines if line.endswith('}')]

    def close(self) -> int:
        """End the node as Ctrl-C does; its exit status."""
        for process in (*self._cameras.values(), *(process for process, _ in self._askers)):
            process.kill()
        self._node.send_signal(2)
        try:
            return self._node.wait(30.0)
        except subprocess.TimeoutExpired:
            self._node.kill()
            return -1
        finally:
            self._executor.shutdown()
            self._ros.destroy_node()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=30.0)
    parser.add_argument('--haste', type=float, default=1.0, help='times as fast as usual')
    parser.add_argument('--layers', type=int, default=0, help='of the model; 0: 1 s per frame')
    parser.add_argument('--out', type=Path, default=ROOT / 'out' / 'soak')
    parser.add_argument('--far', action='store_true', help='this is an island: for itself only')
    args = parser.parse_args()
    if not args.far and not (why := why_not()):
        command = island([sys.executable, '-m', 'bench.soak', *sys.argv[1:], '--far'])
        os.execvp(command[0], command)
    if not args.far:
        print(f'no link can be cut here: {why}')
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    os.environ['ROS_STATIC_PEERS'] = FAR if args.far else ''
    use_profile()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, domain_id() as domain:
        os.environ['ROS_DOMAIN_ID'] = str(domain)
        if args.layers:
            shape = {'num_hidden_layers': args.layers}
            save(
                random_family('qwen2_5_vl', 'deep', **shape),
                'qwen2_5_vl',
                Path(folder),
                'deep',
                shape,
            )
        else:
            model(Path(folder), 1.0)
        rclpy.init()
        far = FarMachine() if args.far else None
        soak, status = Soak(Path(folder), args.out, args.haste, far), -1
        try:
            soak.run(60.0 * args.minutes)
        finally:
            status = soak.close()
            rclpy.shutdown()
            if far is not None:
                far.close()
    result = judged(soak.seen, status)
    (args.out / 'soak.json').write_text(json.dumps(result, indent=1) + '\n')
    plot(result).savefig(args.out / 'soak.svg')
    print(json.dumps({key: value for key, value in result.items() if key != 'samples'}, indent=1))
    return 1 if result['wrong'] else 0


if __name__ == '__main__':
    sys.exit(main())
