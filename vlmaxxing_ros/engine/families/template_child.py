# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A program of its own: reads a chat template and what to render with it, writes what came out.

    python template_child.py < {"template": ..., "renderings": [{...}, ...]} > {"texts": [...]}

Run by path, so that it imports nothing but Jinja.  The sandbox is the one that transformers
renders chat templates in; a template that computes for ever or fills the memory is ended by the
limits that this process sets itself, or killed by its parent (`template.py`).
"""

from __future__ import annotations

import json
import resource
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

SECONDS = 5
_BYTES = 2 << 30


class _Generation(Extension):
    """`{% generation %}...{% endgeneration %}` marks an assistant's words: shown as they are."""

    tags = {'generation'}  # noqa: RUF012  (Jinja's own protocol)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The body, without its marks."""
        next(parser.stream)
        return parser.parse_statements(('name:endgeneration',), drop_needle=True)


def _to_json(value: Any, ensure_ascii: bool = False, **layout: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, **layout)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def main() -> None:
    """Render everything that is asked for, within the limits."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    with suppress(ValueError, OSError):  # macOS refuses: there the parent's patience is the limit
        resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    job = json.load(sys.stdin)
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters['tojson'] = _to_json
    environment.globals['raise_exception'] = _raise
    environment.globals['strftime_now'] = lambda layout: datetime.now().strftime(layout)
    try:
        template = environment.from_string(job['template'])
        texts = [template.render(**values) for values in job['renderings']]
    except Exception as error:  # a template may raise whatever it likes
        json.dump({'error': f'{type(error).__name__}: {error}'}, sys.stdout)
    else:
        json.dump({'texts': texts}, sys.stdout)


if __name__ == '__main__':
    main()
