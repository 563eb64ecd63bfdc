# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Requests as they come out of messages."""

from __future__ import annotations

from typing import Any

from vlmaxxing_ros.ros.ticket import Request


def asks(
    text: str,
    *,
    camera: str = '',
    deadline: float = 0.0,
    max_evidence_age: float = 0.0,
    standing: bool = False,
    **fields: Any,
) -> Request:
    """A request for an answer to `text`; `fields` are the engine's question's."""
    return Request(
        asked={'text': text, **fields},
        camera=camera,
        deadline=deadline,
        max_evidence_age=max_evidence_age,
        standing=standing,
    )
