# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A JSON schema is a stranger's program: it is compiled for trial in a child that ends itself.

Knows how to run the child; knows nothing of what the schema says.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryFile

from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.families.schema_child import SECONDS

_CHILD = Path(__file__).with_name('schema_child.py')
_PATIENCE = 20 * SECONDS  # s for the child, on a machine that is busy otherwise
_POLL = 0.005  # s
_MOST = 256
_passed: dict[str, None] = {}  # schemas that were cheap; the oldest goes first


def checking(schema: str) -> Generator[None, None, None]:
    """Wait until it is known that a schema compiles in bounded time, yielding meanwhile.

    Raises:
        InvalidRequest: it does not.
    """
    if schema in _passed:
        return
    with TemporaryFile() as given:
        given.write(schema.encode('utf-8', 'replace'))
        given.seek(0)
        child = subprocess.Popen(
            [sys.executable, str(_CHILD)],
            env={**os.environ, 'PYTHONSAFEPATH': '1'},  # our folder is no place for its imports
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        end = time.monotonic() + _PATIENCE
        while child.poll() is None and time.monotonic() < end:
            time.sleep(_POLL)
            yield
    finally:
        child.kill()
        status = child.wait()
    if status:
        raise InvalidRequest(
            f'json_schema takes more than {SECONDS} s of computing or too much memory: make it '
            'simpler (fewer patterns, less nesting, no allOf of patterns)'
        )
    while len(_passed) >= _MOST:
        del _passed[next(iter(_passed))]
    _passed[schema] = None
