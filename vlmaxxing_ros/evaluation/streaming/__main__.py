# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""`python -m vlmaxxing_ros.evaluation.streaming --out DIR [--quick]`: corpus, runs, artifact.

Writes `DIR/stage0.jsonl`, without `--quick` also `DIR/closure.jsonl`, `DIR/streaming.json` and
`DIR/streaming.md`.  An interrupted run goes on where it stopped.  The exit status is 1 where a
gate is not passed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.families.loading import load_family
from vlmaxxing_ros.evaluation.recordings import read_images
from vlmaxxing_ros.evaluation.replay import ArmRun
from vlmaxxing_ros.evaluation.report import plain
from vlmaxxing_ros.evaluation.store import Store
from vlmaxxing_ros.evaluation.streaming.arms import ARMS, CONFIG, TWO_FRAMES
from vlmaxxing_ros.evaluation.streaming.artifact import ArtifactRows, to_jsonl
from vlmaxxing_ros.evaluation.streaming.corpus import (
    SETS,
    STAGE0_EVENTS,
    VIDEOS,
    WORLDS,
    EventVideo,
    make_video,
)
from vlmaxxing_ros.evaluation.streaming.floor import floor
from vlmaxxing_ros.evaluation.streaming.gates import closure_faults, stage0_faults
from vlmaxxing_ros.evaluation.streaming.provenance import provenance
from vlmaxxing_ros.evaluation.streaming.report import (
    SECONDS_PER_FRAME,
    summarise,
    to_markdown,
    verdict,
)
from vlmaxxing_ros.evaluation.streaming.runs import run_videos


def main(given: Sequence[str] | None = None) -> int:
    """Command line."""
    arguments = list(sys.argv[1:] if given is None else given)
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--out', type=Path, required=True, help='folder to write into')
    parser.add_argument('--quick', action='store_true', help='stage 0 only')
    parser.add_argument(
        '--set',
        choices=[name for name in SETS if name != 'stage0'],
        default='scored',
        help='seeds of the closure; development: to choose settings on, no result',
    )
    args = parser.parse_args(arguments)
    family = load_family(CONFIG.model, CONFIG.dtype)
    common = provenance(arguments)
    args.out.mkdir(parents=True, exist_ok=True)

    videos = [make_video(args.out / 'corpus', 'stage0', f, 0, STAGE0_EVENTS) for f in WORLDS]
    runs, rows = _run(args.out, videos, ARMS, family, common)
    (args.out / 'stage0.jsonl').write_text(to_jsonl(rows), encoding='utf-8')
    gates = {'stage 0': stage0_faults(rows)}
    if not args.quick:
        corpus = args.out / 'corpus'
        videos = [make_video(corpus, args.set, f, n) for f in WORLDS for n in range(VIDEOS)]
        runs, rows = _run(args.out, videos, (*ARMS, TWO_FRAMES), family, common)
        (args.out / 'closure.jsonl').write_text(to_jsonl(rows), encoding='utf-8')
        gates['closure'] = closure_faults(rows)
    report = summarise(videos, runs, speed=_rows_per_frame(videos[0], family) / SECONDS_PER_FRAME)
    report |= {
        'floor': floor(videos, family, CONFIG),
        'command': common['command_line'],
        'commit': common['commit_sha'],
        'hardware': common['hardware'],
        'set': 'stage0' if args.quick else args.set,
        'config': asdict(CONFIG),
        'gates': gates,
        'verdict': verdict(report),
    }
    text = json.dumps(plain(report), indent=1, ensure_ascii=False) + '\n'
    (args.out / 'streaming.json').write_text(text, encoding='utf-8')
    (args.out / 'streaming.md').write_text(to_markdown(report), encoding='utf-8')
    for line in report['verdict']:
        print(line)
    for gate, faults in gates.items():
        print(f'{gate}: {"passed" if not faults else f"not passed, {len(faults)} faults"}')
    return 1 if any(gates.values()) else 0


def _run(
    out: Path, videos: list[EventVideo], arms: Sequence[str], family: Family, common: dict[str, Any]
) -> tuple[dict[str, list[ArmRun]], list[dict[str, Any]]]:
    """Run the arms; the runs and the artifact's rows."""
    runs = run_videos(videos, arms, family, CONFIG, Store(out / 'arms'), _tell)
    rows = [
        row
        for number, video in enumerate(videos)
        for row in ArtifactRows(video, family, CONFIG, common).build(
            {arm: members[number] for arm, members in runs.items()}
        )
    ]
    return runs, rows


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _rows_per_frame(video: EventVideo, family: Family) -> int:
    image = next(iter(read_images(video.folder)))
    height, width = image.pixels.shape[:2]
    return len(family.frame_rows(family.grid(height, width, CONFIG.max_blocks), 0))


if __name__ == '__main__':
    sys.exit(main())
