# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The page docs/results/moving.md, from what `bench.moving` found."""

from __future__ import annotations

from typing import Any

REACH, REACH_SHAKE, UP_TO = 0.3, 0.2, 14.0
"""Rows of dense at most: in a pan of up to so many pixels per frame, and in a shake."""

Rows = list[dict[str, Any]]


def page(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    return '\n'.join(
        [
            '# A camera that moves: measurements',
            '',
            f'Written by `python -m bench.moving`, with a margin of {results["margin"]} px. '
            'Counts, the same on any machine. How it works: [moving.md](../moving.md).',
            '',
            '## The built-in model',
            '',
            f'{results["clips"]} tables per speed, {results["frames"]} frames of 6 x 8 blocks '
            'each, paid frame by frame. Blocks move, come and go while the camera does; it stands '
            'on a head of its own, and a cloth with a pattern lies on the table. Pixels are those '
            'of the image. Shares of what every frame whole would cost; *followed* is the share '
            'of the frames of which a piece was planned. *differ*: answers unlike those on the '
            'same piece prefilled whole; beside it those that another sample of the noise changes; '
            'the same for the divergence of the first token (nats). *right*: true of the piece, '
            'ours and dense. Bold: not reached (rows in a pan of up to '
            f'{UP_TO:g} px at most {REACH}, in the shake {REACH_SHAKE}; drift within the noise '
            "sample's).",
            '',
            *_models(results['table']),
            '',
            *_patrol(results.get('patrol', [])),
            *_views(results.get('views', {})),
            '## The planner alone, rendered',
            '',
            'Share of the blocks bought per image where each is paid at once; how far the lattice '
            'was off what it follows (pixels, median and 95th percentile); visibly changed blocks '
            'that were not bought. 8 x 12 blocks, noise of sigma 2.',
            '',
            *_rendered(results['rendered']),
            '',
            '## The planner alone, real clips',
            '',
            'At about 10 frames per second, 80 frames, on at most 192 blocks. A pan or shake is '
            'made by moving a window of 0.7 of the width and height over the clip, in pixels of '
            'the grid.',
            '',
            *_footage(results['footage']),
            '',
        ]
    )


def _models(rows: Rows) -> list[str]:
    head = ('per frame', 'follow', 'rows', 'tower', 'followed', 'differ', 'noise')
    lines = []
    for row in rows:
        what = f'shake of {row["shake"]:g} px' if row['shake'] else f'{row["step"]:g} px'
        asked = row['asked']
        bound = REACH_SHAKE if row['shake'] else REACH
        follows = row['follow'] == 'auto' and row['step'] <= UP_TO
        lines.append(
            (
                what,
                row['follow'],
                _bold(f'{row["rows"]:.2f}', follows and row['rows'] > bound),
                f'{row["windows"]:.2f}',
                f'{row["followed"]:.2f}',
                _bold(
                    f'{row["differ"]} of {asked}',
                    follows and row['differ'] > max(1, row['noise_differs']),
                ),
                str(row['noise_differs']),
                f'{_nats(row["divergence"])} / {_nats(row["noise_divergence"])}',
                f'{row["right"] / asked:.3f} / {row["dense_right"] / asked:.3f}',
            )
        )
    return _table((*head, 'divergence, ours / noise', 'right, ours / dense'), lines)


def _patrol(rows: Rows) -> list[str]:
    """The patrol, where it was run."""
    if not rows:
        return []
    return [
        '## The patrol of the streaming evaluation',
        '',
        'Our arm on the development seeds (`python -m bench.moving_patrol`): questions about '
        'events on a table without a cloth, looked at by a camera that turns for a second and '
        'rests for several. Rows and tower windows of all that was paid, set-up left out.',
        '',
        *_table(
            ('follow', 'asked', 'right', 'rows', 'windows'),
            [tuple(str(row[name]) for name in row) for row in rows],
        ),
        '',
    ]


def _views(views: dict[str, Rows]) -> list[str]:
    """A head that returns to presets, where it was measured."""
    if not views:
        return []
    return [
        '## A head that returns to presets, if its views were kept',
        '',
        'Not built; a bound on what it would spare (`python -m bench.moving_views`). A window '
        'of half the width and height of a clip goes to and fro between three presets, 10 '
        'images per second, coming back to each within half a pixel (sigma). *Met*: returns at '
        'which an earlier whole image of a preset would have done for one that was bought '
        'whole. *Whole*, *found*: how many images were bought whole, and for how many of them '
        'one would have done. *Spared*: all but the blocks that differ of what was found, as a '
        'share of all rows that were bought; *inexact*: without those that are bought whole all'
        ' the same, because they became keyframes, or stood for the second after which a tail '
        'is made exact. Pause: seconds between two questions to the node, in simulated time '
        'with default settings; *eager*: the planner alone, everything bought at once.',
        '',
        *_table(
            (
                'clip',
                'dwell, transit',
                'follow',
                'pause',
                'returns',
                'met',
                'whole',
                'found',
                'spared',
                'inexact',
            ),
            [_bound(row) for row in (*views['planned'], *views['lived'])],
        ),
        '',
        'Views of a table restored on the built-in model: their rows carried to where the tail '
        'stands, the blocks that differ recomputed, asked 0.3 s after the return; against the '
        'same image prefilled whole behind the same keyframes, beside another sample of the noise.',
        '',
        *_table(
            (
                'keyframes',
                'restored',
                'rows',
                'differ',
                'noise',
                'divergence, ours / noise',
                'right, ours / dense',
            ),
            [
                (
                    str(row['keyframes']),
                    f'{row["found"]} of {row["returns"]}',
                    f'{row["rows"] / row["dense_rows"]:.2f}',
                    f'{row["differ"]} of {row["asked"]}',
                    str(row['noise_differs']),
                    f'{_nats(row["divergence"])} / {_nats(row["noise_divergence"])}',
                    f'{row["right"]} / {row["dense_right"]} of {row["judged"]}',
                )
                for row in views['answers']
            ],
        ),
        '',
    ]


def _bound(row: dict[str, Any]) -> tuple[str, ...]:
    pause = row.get('pause')
    return (
        row['clip'],
        f'{row["dwell"]:g} s, {row["transit"]:g} s',
        row['follow'],
        'eager' if pause is None else f'{pause:g} s' if pause else 'nobody asks',
        *(str(row[name]) for name in ('returns', 'met', 'whole', 'found')),
        f'{row["spared"]:.2f}',
        '' if pause is None else f'{row["spared_inexact"]:.2f}',
    )


def _rendered(rows: Rows) -> list[str]:
    return _table(
        ('camera', 'off', 'auto', 'followed', 'off by', 'missed'),
        [
            (
                row['case'],
                f'{row["fresh_off"]:.2f}',
                f'{row["fresh_auto"]:.2f}',
                f'{row["followed"]:.2f}',
                ''
                if row['error_p50'] is None
                else f'{row["error_p50"]:.2f} / {row["error_p95"]:.2f}',
                f'{100 * row["missed"]:.1f} %',
            )
            for row in rows
        ],
    )


def _footage(rows: Rows) -> list[str]:
    return _table(
        ('clip', 'camera', 'off', 'auto', 'whole, off', 'whole, auto', 'followed'),
        [
            (
                row['clip'],
                row['move'],
                f'{row["fresh_off"]:.3f}',
                f'{row["fresh_auto"]:.3f}',
                str(row['whole_off']),
                str(row['whole_auto']),
                f'{row["followed_auto"]:.2f}',
            )
            for row in rows
        ],
    )


def _nats(value: float) -> str:
    """What rounding leaves below zero is zero."""
    return f'{max(0.0, value):.4f}'


def _bold(text: str, missed: bool) -> str:
    return f'**{text}**' if missed else text


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [head, ('---',) * len(head), *rows]
    return ['| ' + ' | '.join(line) + ' |' for line in lines]
