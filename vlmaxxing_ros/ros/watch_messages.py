# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Between the messages of standing questions and their values: equal names are equal fields.

Knows no node and no topic.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from std_msgs.msg import Header

from vlmaxxing_msgs.msg import WatchEvent, WatchSettings, WatchState
from vlmaxxing_ros.ros.messages import to_time
from vlmaxxing_ros.ros.watch import Change, Known, Watch
from vlmaxxing_ros.ros.watch_settings import WatchConfig

_NOTHING = Known.answered('', stamp=0)


def to_config(message: WatchSettings) -> WatchConfig:
    """The settings of a watch; what is zero or empty is at its default.

    Raises:
        ValueError: they cannot be used.
    """
    given: dict[str, Any] = {}
    for spec in fields(WatchConfig):
        value = getattr(message, spec.name)
        value = tuple(value) if isinstance(spec.default, tuple) else value
        if value:
            given[spec.name] = value
    return WatchConfig(**given)


def to_settings(name: str, config: WatchConfig) -> WatchSettings:
    """WatchSettings.msg of a watch."""
    message = WatchSettings(id=name)
    for spec in fields(config):
        value = getattr(config, spec.name)
        setattr(message, spec.name, list(value) if isinstance(value, tuple) else value)
    message.choices = list(config.asked['choices'])
    return message


def to_event(change: Change) -> WatchEvent:
    """WatchEvent.msg of a change."""
    before, after, config = change.before or _NOTHING, change.after, change.config
    return WatchEvent(
        header=Header(stamp=to_time(after.stamp), frame_id=after.frame_id),
        watch=change.watch,
        camera=config.camera,
        question=config.question,
        from_answer=before.text,
        to_answer=after.text,
        choices=list(config.asked['choices']),
        choice_probabilities=list(after.probabilities),
        evidence_before=to_time(before.until),
        evidence_after=to_time(after.since),
        true_as_of=to_time(after.until),
        status_text=after.note,
    )


def to_state(watch: Watch) -> WatchState:
    """WatchState.msg of a watch."""
    told = watch.told or _NOTHING
    return WatchState(
        settings=to_settings(watch.name, watch.config),
        answer=told.text,
        choice_probabilities=list(told.probabilities),
        evidence_since=to_time(told.since),
        true_as_of=to_time(told.until),
        answers=watch.answers,
        status_text=watch.trouble,
    )
