# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The patrol of the streaming evaluation on its development seeds, with following and without.

`python -m bench.moving_patrol` asks the events' questions of our arm alone, with `follow` off and
auto, and adds what came of it to docs/results/moving.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.moving import MODES, RESULTS
from vlmaxxing_ros.engine.families.loading import load_family
from vlmaxxing_ros.evaluation.store import Store
from vlmaxxing_ros.evaluation.streaming.arms import CONFIG, NATIVE
from vlmaxxing_ros.evaluation.streaming.corpus import SET_UP, VIDEOS, make_video
from vlmaxxing_ros.evaluation.streaming.runs import charges, run_videos


def main() -> None:
    """Run both and write the sums."""
    parser = argparse.ArgumentParser(prog='python -m bench.moving_patrol')
    parser.add_argument('--videos', type=int, default=VIDEOS)
    parser.add_argument('--out', type=Path, default=RESULTS)
    options = parser.parse_args()
    path = options.out / 'moving.json'
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    family = load_family(CONFIG.model, CONFIG.dtype)
    results['patrol'] = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        videos = [make_video(out, 'development', 'patrol', n) for n in range(options.videos)]
        for mode in MODES:
            config = replace(CONFIG, follow=mode)
            runs = run_videos(videos, [NATIVE], family, config, Store(out / mode), print)[NATIVE]
            asked = [c for run in runs for c in charges(run) if c.question.id != SET_UP]
            row = {
                'follow': mode,
                'asked': len(asked),
                'right': sum(c.question.answer == c.question.truth for c in asked),
                'rows': sum(c.rows for c in asked),
                'windows': sum(c.windows for c in asked),
            }
            results['patrol'].append(row)
            print(json.dumps(row), flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
