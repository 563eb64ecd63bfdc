# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The lines that people read and the file that they send."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.measure.exactness import Exactness
from vlmaxxing_ros.measure.report import exactness_line, measured

SOUND = Exactness('m', rows=1116, difference=1e-6, against_cpu=None, finite=True, ok=True)


def test_the_file_holds_machine_exactness_speed_and_outlook(tmp_path: Path) -> None:
    out = tmp_path / 'measure.json'
    lines = list(measured(load_family('nano'), out, architectures=('pixtral',)))
    assert {verdict for verdict, _ in lines} == {'good'}
    assert str(out) in lines[-1][1]
    found = json.loads(out.read_text())
    assert found['schema'] == 'vlmaxxing_measure/1'
    assert set(found['exactness']) == {'nano', 'random tiny pixtral'}
    assert {'device', 'mlx', 'mlx_vlm'} <= set(found['machine'])
    assert [entry['rate'] for entry in found['outlook']] == [5.0, 10.0, 30.0]
    assert found['speed']['frame_rows'] > 0


def test_a_fault_says_what_to_do_and_why() -> None:
    verdict, text = exactness_line(replace(SOUND, ok=False, difference=2.0, against_cpu=0.5))
    assert verdict == 'bad'
    assert 'token_budget' in text
    assert 'the CPU by 0.5' in text
    assert 'not finite' in exactness_line(replace(SOUND, ok=False, finite=False))[1]
    assert exactness_line(SOUND)[0] == 'good'
