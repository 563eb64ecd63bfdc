# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The report as one HTML page that opens offline: no scripts, no fonts, nothing to fetch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from vlmaxxing_ros.evaluation.evaluate import Replayed
from vlmaxxing_ros.evaluation.markdown import gate_line, left_out
from vlmaxxing_ros.evaluation.pictures import STILLS, data_uri, strips
from vlmaxxing_ros.evaluation.plots import plots
from vlmaxxing_ros.evaluation.tables import tables
from vlmaxxing_ros.evaluation.verdict import verdict

SHOWN = 24
"""Drifted answers shown with their frames at most."""


def to_page(report: dict[str, Any], streams: Sequence[Replayed], pictures: Path) -> str:
    """Render the page.

    Args:
        report: as built.
        streams: read again for the frames of drifted answers.
        pictures: the folder in which overlays were saved; there need be none.
    """
    source = files('vlmaxxing_ros.evaluation').joinpath('report.html.j2')
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(source.read_text(encoding='utf-8'))
    arms = report['arms']
    return template.render(
        report=report,
        recordings=report['recordings'],
        frames=sum(r['frames'] for r in report['recordings']),
        questions=sum(r['questions'] for r in report['recordings']),
        verdict=[*left_out(report), *verdict(report)],
        gates=[(gate['kept'], gate_line(gate)) for gate in report['gates']],
        tables=[table for table in tables(report) if table.rows],
        plots=plots(report),
        animation=_picture(pictures / 'overlay.webp', 'webp'),
        stills=[_picture(pictures / f'still{n}.png', 'png') for n in range(STILLS)],
        drifted=_with_frames(report['drifted'], streams),
        drifted_count=len(report['drifted']),
        unavailable={n: a['unavailable'] for n, a in arms.items() if 'unavailable' in a},
    )


def _picture(path: Path, kind: str) -> str:
    return data_uri(path.read_bytes(), kind) if path.is_file() else ''


def _with_frames(found: list[dict[str, Any]], streams: Sequence[Replayed]) -> list[dict[str, Any]]:
    """Some drifted answers, each with a picture of the frames that it rests on."""
    by_name = {stream.name: stream for stream in streams}
    chosen = _spread(found)
    by_stream: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in chosen:
        by_stream[entry['recording']].append(entry)
    for name, entries in by_stream.items():
        images = strips(by_name[name], [entry['window'] for entry in entries])
        for entry, image in zip(entries, images, strict=True):
            entry['picture'] = data_uri(image, 'jpeg')
    return chosen


def _spread(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Up to `SHOWN` entries, from every arm in turn, in the report's order."""
    by_arm: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in found:
        by_arm[entry['arm']].append(dict(entry))
    chosen: list[dict[str, Any]] = []
    while by_arm and len(chosen) < SHOWN:
        for arm in list(by_arm):
            chosen.append(by_arm[arm].pop(0))
            if not by_arm[arm]:
                del by_arm[arm]
    order = {(entry['arm'], entry['recording'], entry['id']): n for n, entry in enumerate(found)}
    chosen = chosen[:SHOWN]
    return sorted(chosen, key=lambda e: order[e['arm'], e['recording'], e['id']])
