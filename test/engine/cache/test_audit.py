# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The cache is what its ledger says; where it is not, that is found and mended."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
from engine.scenes import PERIOD, moving_scene, scene, session_logits

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.stream.session import StreamSession


def test_an_audit_passes_on_a_healthy_cache(family: Family) -> None:
    session = StreamSession(family, EngineConfig(keyframe_interval=0.2))
    for frame in moving_scene(8):
        session.admit(frame)
    report = session.audit()
    assert report.ok
    assert report.max_difference == 0.0


def test_an_audit_finds_a_flipped_row_and_rebuilds_the_session(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keyframe_interval=0.2))
    frames = moving_scene(8)
    for frame in frames:
        session.admit(frame)
    session.idle()
    healthy = session_logits(session, 'what?')
    keys = session.stream.cache.arrays()[0]
    keys[0, 0, 40] = keys[0, 0, 40] * -1 + 0.5
    mx.eval(keys)
    assert not np.array_equal(session_logits(session, 'what?'), healthy)
    report = session.audit()
    assert not report.ok
    assert 'rebuilt' in report.text
    assert np.array_equal(session_logits(session, 'what?'), healthy)
    assert session.audit().ok


def test_an_audit_replays_what_is_added_meanwhile(family: Family) -> None:
    session = StreamSession(
        family, EngineConfig(keyframe_interval=0.1, keep_keyframes=50, max_slice=0.001)
    )
    frames = moving_scene(9)
    for frame in frames[:6]:
        session.admit(frame)
    job = session.auditing()
    for frame in frames[6:]:
        assert not job.step()
        session.admit(frame)
    report = job.finish()
    assert report.ok
    assert report.rows == session.stream.cache.ledger.rows


def test_another_audit_ends_the_one_before_and_the_background_joins_neither(
    family: Family,
) -> None:
    config = EngineConfig(keyframe_interval=0.1, audit_interval=0.1, max_slice=0.001)
    session = StreamSession(family, config)
    frames = moving_scene(8)
    for frame in frames[:6]:
        session.admit(frame)
    first = session.auditing()
    assert not first.step()
    second = session.auditing()
    assert not second.step()
    for frame in frames[6:]:
        session.admit(frame)  # one would be due by now
    while not second.step():
        assert session.background() is None
    assert second.result.ok
    assert first.finish() is None
    assert session.last_audit is second.result
    assert session.background() is not None, 'now it is'


def test_one_that_is_given_up_before_it_begins_holds_up_no_other(qwen: Family) -> None:
    config = EngineConfig(keyframe_interval=0.1, audit_interval=0.1)
    session = StreamSession(qwen, config)
    for frame in moving_scene(4):
        session.admit(frame)
    session.auditing().close()
    while session.idle():
        pass
    assert session.last_audit is not None


def test_audits_happen_in_idle_time(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(audit_interval=0.5, keyframe_interval=0.2))
    for frame in moving_scene(10):
        session.admit(frame)
        while session.idle():
            pass
    assert session.last_audit is not None
    assert session.last_audit.ok


def test_an_audit_counts_in_the_cache_bytes_and_gives_way_to_a_new_generation(
    qwen: Family,
) -> None:
    session = StreamSession(
        qwen, EngineConfig(keyframe_interval=0.2, audit_interval=0.0, max_slice=0.001)
    )
    frames = iter(moving_scene(60))
    for _ in range(6):
        before = session.admit(next(frames)).cache_bytes
    job = session.auditing()
    assert not job.step()
    budget = session.admit(next(frames))
    pixels = session.stream.sight.nbytes
    assert before < budget.cache_bytes <= 2 * session.stream.cache.nbytes + pixels
    while not budget.rebuild_progress:
        if work := session.background():
            work.step()
        budget = session.admit(next(frames))
    pixels = session.stream.sight.nbytes
    assert budget.cache_bytes <= 2 * session.stream.cache.nbytes + pixels
    assert job.finish() is None, 'it was given up'
    assert session.audit().ok


def test_a_reset_forgets_the_last_audit(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig())
    session.admit(scene(PERIOD))
    session.audit()
    session.reset()
    assert session.last_audit is None
