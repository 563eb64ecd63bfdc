# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Where results come from."""

from __future__ import annotations

from vlmaxxing_ros.evaluation.streaming.provenance import commit_sha, provenance


def test_a_run_is_known_by_commit_weights_and_machine() -> None:
    one, other = provenance(['--out', 'a b']), provenance(['--out', 'c'])
    assert one['run_id'] == other['run_id']
    assert len(one['model_sha']) == 64
    assert one['command_line'].endswith("-m vlmaxxing_ros.evaluation.streaming --out 'a b'")
    assert one['commit_sha'] == commit_sha()
