# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Run as a process: compiles a JSON schema from standard input, and ends itself if that is much.

Imports nothing of ours; knows nothing of who asks.  What comes of it is the exit status: 0 where
it ended in time, whether the schema can be used or not.
"""

from __future__ import annotations

import resource
import signal
import sys
from contextlib import suppress

import llguidance

SECONDS = 0.5
"""Of computing that a schema may take."""
_BYTES = 2 << 30


def main() -> None:
    """Compile it within the limits."""
    with suppress(ValueError, OSError):  # macOS refuses
        resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    schema = sys.stdin.buffer.read().decode()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # its signal ends the process
    with suppress(ValueError):
        grammar = llguidance.LLMatcher.grammar_from_json_schema(schema)
        llguidance.LLMatcher.validate_grammar(grammar, None)


if __name__ == '__main__':
    main()
