# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A chat template is a stranger's program: it is run in a child that can be killed.

Knows how to run the child; knows nothing of messages, tokenizers or models.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families.template_child import SECONDS

_CHILD = Path(__file__).with_name('template_child.py')


def render_template(template: str, renderings: list[dict[str, Any]]) -> tuple[str, ...]:
    """Render a Jinja template once for each set of values (JSON types only).

    Raises:
        ModelError: it is not Jinja, fails, or takes too long or too much memory.
    """
    return _render(json.dumps({'template': template, 'renderings': renderings}))


@lru_cache(maxsize=256)
def _render(job: str) -> tuple[str, ...]:
    try:
        child = subprocess.run(
            [sys.executable, str(_CHILD)],
            env={**os.environ, 'PYTHONSAFEPATH': '1'},  # our folder is no place for its imports
            input=job,
            capture_output=True,
            text=True,
            timeout=3 * SECONDS,
            check=True,
        )
        result = json.loads(child.stdout)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        raise ModelError(
            f'the chat template was not rendered within {SECONDS} s of computing and 2 GiB of '
            f'memory ({type(error).__name__}): the model is refused'
        ) from error
    if 'error' in result:
        why = ' '.join(str(result['error']).split())[:300]
        raise ModelError(f'the chat template cannot be rendered: {why}')
    return tuple(result['texts'])
