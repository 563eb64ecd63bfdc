# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The nano model's card, written from its report. Knows no figure that is not in the report."""

from __future__ import annotations

from typing import Any

TEXT = """# Nano: the built-in model

A Qwen2.5-VL of {millions:.2f} million parameters ({megabytes:.1f} MB, float16) that answers
questions about the synthetic tabletop of `vlmaxxing_ros.demo.tabletop`. It exists so that the demo,
the tests and the drift measurements run on a machine without a network or a GPU, through exactly
the code that serves `Qwen2.5-VL-7B-Instruct`.

**What it is not:** a general model. It knows six colours of block, one gripper, nine places and
the {wordings} wordings of `vlmaxxing_ros.demo.tabletop_questions`; on real footage or any
other question its answers mean nothing.

## Data

Rendered on the fly, never stored: clips of 1 to 16 frames at 1 to 4 per second, 112x112 to
224x168 pixels, with texture, clutter, shadows, sensor noise up to sigma 8, light drift, lamp
flicker, exposure steps, 1 px jitter and slow pans. Every frame is shown whole; the model has never
seen a delta frame. Questions are free, or closed: the question, then a line `Options: a, b, c`.
State questions are about the last frame shown, change questions compare the last frame with the
first; unclear cases (a block on a border, a half-open gripper) are not asked.

## Recipe

`python -m vlmaxxing_ros.training.train --out DIR`: {recipe}.
About eleven questions per clip packed behind one vision prefix; Muon for matrices, AdamW for the
rest, bfloat16 with float32 masters; mostly single frames for the first 5 %, then mostly 8. While
training, linear probes also read from the image and closing rows what each block and frame shows;
their weight falls to nothing and they are not part of the model. Beside the package it needs
`pip install torch` (2.9 or newer).

## Accuracy on held-out clips

Exact match under greedy decoding; float16 weights computed in float32. Chance is the share of the
commonest answer (free) or the mean of 1 / choices (closed).

{table}

Mean over where, colors, count, exists, gripper: **{state8:.3f}** on 8 frames, **{state1:.3f}** on
the newest frame alone. Mean over the change families: **{change8:.3f}**. Other shapes, about
{some} questions per family:

| frames x rows x columns of blocks | current state | change |
|---|---|---|
{shapes}

## Staleness

8 frames; the newest 4 replaced by the frame before them, as if the camera had frozen; questions
about the present whose answer has changed since ({stale_questions} of them): right on the true
frames {fresh:.3f}, on the frozen ones {stale:.3f}; the frozen frame's truth is given in {old:.3f}
of the cases. So a stale cache shows.

## Limits

- Other wordings, languages and scenes than the renderer's are out of its reach.
- Two blocks of one colour never occur; two things never happen at once.
- Several changes in one window are harder than one.
- Pixels beyond 224x168 are scaled down by the processor.
"""


def model_card(report: dict[str, Any]) -> str:
    """Markdown from `held_out.write_report`'s dictionary."""
    columns = ('frames_8', 'frames_8_closed', 'frames_1', 'frames_1_closed')
    lines = [
        '| family | 8 frames | chance | closed | chance | 1 frame | chance | closed | chance |',
        '|---|---|---|---|---|---|---|---|---|',
    ]
    for family in report['frames_8']:
        cells = [family]
        for column in columns:
            result = report[column].get(family)
            cells += [_figure(result, 'accuracy'), _figure(result, 'chance')]
        lines.append('| ' + ' | '.join(cells) + ' |')
    least = min(r['questions'] for column in columns for r in report[column].values())
    lines += ['', f'At least {least} questions per cell.']
    summary, stale = report['summary'], report['stale']
    recipe = report['recipe']
    return TEXT.format(
        millions=report['parameters'] / 1e6,
        megabytes=report['bytes'] / 1e6,
        wordings=report['wordings'],
        recipe=', '.join(f'{key} {value}' for key, value in recipe.items()),
        table='\n'.join(lines),
        state8=summary['current_state_8_frames'],
        state1=summary['current_state_1_frame'],
        change8=summary['change_8_frames'],
        shapes='\n'.join(
            f'| {name} | {result["current_state"]:.3f} | {result["change"]:.3f} |'
            for name, result in report['other_shapes'].items()
        ),
        some=min(result['questions_per_family'] for result in report['other_shapes'].values()),
        stale_questions=stale['questions'],
        fresh=stale['fresh'],
        stale=stale['stale'],
        old=stale['stale_says_old'],
    )


def _figure(result: dict[str, float] | None, name: str) -> str:
    return '' if result is None else f'{result[name]:.3f}'
