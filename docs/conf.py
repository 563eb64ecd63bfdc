# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The documentation as pages: `make docs`.

Pages are Markdown (MyST).  Interfaces and the Python reference are made from the sources each
time: `api/` is never committed.  Knows no page by name, so that a new one needs nothing here.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree.ElementTree import parse

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS))

from reference import write_reference  # noqa: E402

project = 'vlmaxxing_ros'
author = 'The vlmaxxing_ros authors'
copyright = f'2026, {author}'
version = release = parse(ROOT / 'package.xml').getroot().findtext('version', '')

extensions = ['myst_parser']
exclude_patterns = ['_build']
suppress_warnings = ['myst.header']

myst_enable_extensions = ['colon_fence', 'deflist']
myst_heading_anchors = 4

highlight_language = 'none'  # a drawing is no Python
add_module_names = False
python_use_unqualified_type_names = True  # the reference has them in full
python_maximum_signature_line_length = 90

html_theme = 'furo'
html_title = f'vlmaxxing_ros {version}'
html_static_path = ['static']
html_css_files = ['palette.css']
html_show_sphinx = False


def write_interfaces() -> None:
    """api/interfaces.md: every message, service and action, with its comments."""
    lines = ['# Interfaces', '', 'As they stand in `vlmaxxing_msgs`.', '']
    for kind in ('msg', 'srv', 'action'):
        for path in sorted((ROOT / 'vlmaxxing_msgs' / kind).glob(f'*.{kind}')):
            where = f'../../vlmaxxing_msgs/{kind}/{path.name}'
            lines += [f'## {kind}/{path.stem}', '', f'```{{literalinclude}} {where}', '```', '']
    (DOCS / 'api' / 'interfaces.md').write_text('\n'.join(lines))


def point_inside(app: Sphinx, page: str, source: list[str]) -> None:
    """Links to the sources' folders, which mean something on a forge only, lead to our pages."""

    def instead(link: re.Match[str]) -> str:
        text, path = link.groups()
        if path.startswith('vlmaxxing_msgs'):
            return f'[{text}](/api/interfaces.md)'
        return text if (ROOT / path).is_dir() else link[0]

    source[0] = re.sub(r'\[([^]]+)\]\(\.\./([\w./]+)\)', instead, source[0])


def list_others(app: Sphinx, page: str, source: list[str]) -> None:
    """In the front page's contents, @others@ stands for every page that it does not name."""
    if page == 'index':
        here = sorted(path.stem for path in DOCS.glob('*.md'))
        named = {line.strip() for line in source[0].splitlines()} | {'index'}
        source[0] = source[0].replace('@others@', '\n'.join(n for n in here if n not in named))


def setup(app: Sphinx) -> None:
    """Make what is made from the sources, before the pages are read."""
    (DOCS / 'api').mkdir(exist_ok=True)
    for old in (DOCS / 'api').iterdir():
        old.unlink()
    write_interfaces()
    write_reference(ROOT / 'vlmaxxing_ros', DOCS / 'api')
    app.connect('source-read', point_inside)
    app.connect('source-read', list_others)
