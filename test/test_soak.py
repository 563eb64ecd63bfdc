# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A soak in its short form, and that a soak would tell what goes wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from bench.far_machine import why_not
from bench.soak_report import Seen, judged
from vlmaxxing_msgs.msg import Answer

ROOT = Path(__file__).resolve().parents[1]


def test_a_node_outlasts_killed_askers_lost_cameras_and_cut_links(
    spawn: Callable[..., Any], tmp_path: Path
) -> None:
    """As `make soak` has it, for three minutes, with a smaller model."""
    told = ('--minutes', '3', '--layers', '2', '--out', tmp_path)
    soak = spawn(sys.executable, '-m', 'bench.soak', *told, env={'PYTHONPATH': str(ROOT)})
    soak.wait(600.0)
    assert (tmp_path / 'soak.json').exists(), soak.output
    found = json.loads((tmp_path / 'soak.json').read_text())
    found['wrong'].pop('statuses after the deadline', None)  # how fast this machine is
    assert found['wrong'] == {}, soak.output
    assert found['questions'] > 0
    assert found['audits'] > 0
    assert found['askers_killed'] > 0
    assert found['cameras_lost'] > 0
    assert found['links_cut'] > 0 or why_not()
    assert (tmp_path / 'soak.svg').exists()


def seen(**changed: Any) -> Seen:
    """What a soak without a fault has seen, but for some of it."""
    samples = [{'s': float(s), 'resident_mb': 500.0, 'cache_mb': 9.0} for s in range(60)]
    answers = [{'status': Answer.OK, 'late': -1.0, 'how': 'query'}]
    return Seen(**({'samples': samples, 'answers': answers, 'audits': ['exact']} | changed))


def test_what_holds_is_not_complained_about() -> None:
    assert judged(seen(), status=0)['wrong'] == {}


@pytest.mark.parametrize(
    ('changed', 'said'),
    [
        ({'answers': [{'status': -1, 'late': 20.0}]}, 'questions lost'),
        ({'answers': [{'status': Answer.OK, 'late': 9.0}]}, 'statuses after the deadline'),
        ({'answers': [{'status': Answer.MODEL_ERROR, 'late': 0.0}]}, 'that the model failed'),
        ({'audits': []}, 'audits'),
        ({'audits': ['worse'], 'bad_audits': ['worse']}, 'audits that failed'),
        ({'failures': {'front: ValueError'}}, 'failures'),
        ({'samples': [{'s': s, 'resident_mb': 500 + 9 * s} for s in range(60)]}, 'memory'),
    ],
)
def test_what_does_not_hold_is_named(changed: dict[str, Any], said: str) -> None:
    assert said in ' '.join(judged(seen(**changed), status=0)['wrong'])


def test_a_node_that_does_not_end_well_is_named() -> None:
    assert judged(seen(), status=-11)['wrong'] == {'exit status': -11}
