# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What `settle_margin` buys: drift saved per row that settling costs, margin by margin.

`python -m bench.settle_margin --model nano --model FOLDER ...` streams the rendered clips of
`bench.tail_frontier` through sessions of the live engine, asks about the last frame, settles, and
asks again.  An answer drifts where its tokens are not those from the settled tail.  Whether a
question settles is a function of its margin alone, so that one run answers for every setting:
each question counts as if it were the only one about its frame.  Counts rows, times nothing.

Writes docs/results/settle_margin.json and the table of docs/tail.md.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx

from bench.tail_frontier import STREAMS, render, texts
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.question import Answer, Question
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.payment import Payment
from vlmaxxing_ros.engine.stream.session import StreamSession

DOCS = Path(__file__).parents[1] / 'docs'
RESULT = DOCS / 'results' / 'settle_margin.json'
BEGIN = '<!-- from docs/results/settle_margin.json: bench.settle_margin -->'
END = '<!-- end of the margins -->'
GRID = Grid(4, 4, 28)
MARGINS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, math.inf)
# History and age are left out: what is measured is the tail.
CONFIG = EngineConfig(keep_keyframes=0, max_age=1e9, audit_interval=0.0, max_tokens=16)


@dataclass(frozen=True)
class Unsettled:
    """One question about a refreshed tail.

    Attributes:
        margin: of its answer.
        drifts: from the settled tail it is answered otherwise.
        rows: that settling takes, and the question once more behind it.
    """

    margin: float
    drifts: bool
    rows: int


def main() -> None:
    """Measure every model, write result and table."""
    parser = argparse.ArgumentParser(prog='python -m bench.settle_margin')
    parser.add_argument('--model', action='append', help='nano or a folder; repeat')
    parser.add_argument('--clips', type=int, default=100, help='per stream')
    parser.add_argument('--out', type=Path, default=RESULT)
    options = parser.parse_args()
    mx.set_default_device(mx.cpu)
    models = {}
    for model in options.model or ['nano']:
        family, exact, found = load_family(model), 0, []
        for stream in STREAMS:
            for states, frames in render(stream, GRID, options.clips):
                asked = list(clip(family, frames, texts(states[-1])))
                exact += sum(question is None for question in asked)
                found += [question for question in asked if question is not None]
        models[Path(model).name] = summary(found, exact)
        print(model, json.dumps(models[Path(model).name]), flush=True)
        about = {'command': 'python -m bench.settle_margin', 'clips': options.clips}
        text = json.dumps({**about, 'models': models}, indent=1)
        options.out.write_text(text + '\n')
    if options.out == RESULT:
        page = DOCS / 'tail.md'
        head, rest = page.read_text().split(BEGIN)
        page.write_text(f'{head}{BEGIN}\n{table(models)}\n{END}{rest.split(END)[1]}')


def clip(family: Family, frames: list[Frame], asked: list[str]) -> Iterator[Unsettled | None]:
    """Show a clip, ask, settle, ask again; None: the tail was exact already."""
    session = StreamSession(family, CONFIG)
    for frame in frames:
        session.admit(frame)
    before = [answer(session, text) for text in asked]
    stream = session.stream
    assert stream is not None
    whole = stream.paying(Payment.settling(stream.sight.plan)).finish()
    for text, first in zip(asked, before, strict=True):
        if first.evidence.exact:
            yield None
            continue
        settled = answer(session, text)
        assert settled.evidence.exact
        question = settled.prompt_tokens - settled.reused_tokens
        drifts = settled.token_ids != first.token_ids
        yield Unsettled(first.margin, drifts, whole.rows + question)


def answer(session: StreamSession, text: str) -> Answer:
    """Ask at once."""
    asking = session.ask(Question(text=text))
    for _ in asking:
        pass
    assert asking.answer is not None
    return asking.answer


def summary(found: list[Unsettled], exact: int) -> dict[str, Any]:
    """Counts of one model, and for each margin what is settled, what that costs and saves."""
    drifted = sum(question.drifts for question in found)
    rows = []
    for margin in MARGINS:
        settled = [question for question in found if question.margin < margin]
        rows.append(
            {
                'margin': margin if margin < math.inf else None,
                'settled': len(settled),
                'rows': sum(question.rows for question in settled),
                'saved': sum(question.drifts for question in settled),
            }
        )
    return {'exact': exact, 'asked': len(found), 'drifted': drifted, 'by': rows}


def table(models: dict[str, Any]) -> str:
    """Markdown, a row per model and margin."""
    lines = [
        '| model | `settle_margin`, nats | questions that settle | rows more, per question | drift '
        'saved | per 1000 rows more |',
        '|---|---|---|---|---|---|',
    ]
    for name, model in models.items():
        for row in model['by'][1:]:
            margin = 'always' if row['margin'] is None else f'{row["margin"]:g}'
            share, more = row['settled'] / model['asked'], row['rows'] / model['asked']
            saved = f'{row["saved"]} of {model["drifted"]}'
            each = f'{1000 * row["saved"] / row["rows"]:.2f}' if row['rows'] else '–'
            cells = (name, margin, f'{100 * share:.1f} %', f'{more:.2f}', saved, each)
            lines.append(f'| {" | ".join(cells)} |')
    return '\n'.join(lines)


if __name__ == '__main__':
    main()
