# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What each family can do, as a table: for the documentation, and for whoever asks.

python -m vlmaxxing_ros.engine.families.table docs/models.md    rewrites the table in that file

Knows capabilities, titles and Markdown; loads no model.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

from vlmaxxing_ros.engine.families.base import Capabilities
from vlmaxxing_ros.engine.families.generic import GOES_BACK, PLAIN_CACHE, Generic
from vlmaxxing_ros.engine.families.loading import FAMILIES

BEGIN = '<!-- from the code: python -m vlmaxxing_ros.engine.families.table docs/models.md -->'
END = '<!-- end of what comes from the code -->'


def describe(capabilities: Capabilities) -> dict[str, bool]:
    """Each capability's title, and whether it is there."""
    return {f.metadata['title']: getattr(capabilities, f.name) for f in fields(capabilities)}


def rows() -> dict[str, Capabilities]:
    """Every kind of model that can be loaded, and what it can do."""
    known = {f'`{name}`': family.capabilities for name, family in FAMILIES.items()}
    return known | {
        'any other, plain cache': PLAIN_CACHE,
        'any other, windows or recurrent state': GOES_BACK,
        'any other, another cache': Generic.capabilities,
    }


def markdown() -> str:
    """The table, and what its columns mean."""
    specs = fields(Capabilities)
    titles = ['model type', *(f.metadata['title'] for f in specs)]
    lines = ['| ' + ' | '.join(titles) + ' |', '|---' * len(titles) + '|']
    for name, capabilities in rows().items():
        marks = ['yes' if able else 'no' for able in describe(capabilities).values()]
        lines.append('| ' + ' | '.join([name, *marks]) + ' |')
    lines += ['', *(f'- **{f.metadata["title"]}**: {f.metadata["meaning"]}' for f in specs)]
    return '\n'.join(lines) + '\n'


def rewrite(text: str) -> str:
    """A document with its table replaced by the current one."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f'{before}{BEGIN}\n\n{markdown()}\n{END}{after}'


if __name__ == '__main__':
    document = Path(sys.argv[1])
    document.write_text(rewrite(document.read_text()))
