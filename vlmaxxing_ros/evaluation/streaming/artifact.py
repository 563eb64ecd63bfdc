# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Artifact rows: one per event and arm, in the shape of the authors' public schema.

The fields' meaning: docs/evaluation.md.  Knows runs and events; decides nothing about gates.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.evaluation.grid_frames import grid_frames
from vlmaxxing_ros.evaluation.recordings import read_images
from vlmaxxing_ros.evaluation.replay import ArmRun
from vlmaxxing_ros.evaluation.streaming.arms import ARMS, LOW_FPS, NATIVE, OFFSETS, ORACLE, RECENCY
from vlmaxxing_ros.evaluation.streaming.corpus import EventVideo
from vlmaxxing_ros.evaluation.streaming.events import FPS, WINDOW, EventCase
from vlmaxxing_ros.evaluation.streaming.fields import SCHEMA
from vlmaxxing_ros.evaluation.streaming.runs import Charge, charges
from vlmaxxing_ros.evaluation.text import normalised

PHASE = 'C-STREAM'
POLICY = 'native_update_rebuild'

Row = dict[str, Any]


class ArtifactRows:
    """Builds the rows of one video."""

    def __init__(
        self, video: EventVideo, family: Family, config: EngineConfig, common: Mapping[str, Any]
    ) -> None:
        self._video = video
        self._family = family
        self._config = config
        self._common = common
        self._media = video.sha256
        frames = grid_frames(read_images(video.folder), family, config)
        self._frames = {frame.stamp: frame for frame in frames}
        self._index = {stamp: number for number, stamp in enumerate(self._frames)}

    def build(self, runs: Mapping[str, ArmRun]) -> list[Row]:
        """Rows in the order of the events, arms in the order of `ARMS`."""
        asked = {arm: {c.question.id: c for c in charges(runs[arm])} for arm in ARMS}
        rows = []
        for number, case in enumerate(self._video.cases):
            name = case.question.id
            pair = {arm: asked[arm][name] for arm in ARMS}
            for arm in ARMS:
                rows.append(self._row(number, case, arm, pair, runs[arm].peak_memory))
        return rows

    def _row(
        self, number: int, case: EventCase, arm: str, pair: Mapping[str, Charge], memory: int
    ) -> Row:
        ours, base = pair[arm], pair[ORACLE]
        prompt = _prompt(case)
        row: Row = {
            **self._common,
            'schema_version': SCHEMA,
            'experiment_id': 'vlmaxxing_ros-c-stream',
            'protocol_id': f'events-{WINDOW:g}s-{FPS:g}hz',
            'phase': PHASE,
            'row_role': 'paired',
            'arm': arm,
            'baseline_arm': ORACLE,
            'comparator_arm': LOW_FPS,
            'policy': POLICY if arm == NATIVE else f'cold_{len(OFFSETS[arm])}_frames',
            'baseline_policy': f'cold_{len(OFFSETS[ORACLE])}_frames',
            'policy_params': asdict(self._config)
            if arm == NATIVE
            else {'seconds_before': list(OFFSETS[arm])},
            'video_id': self._video.name,
            'event_id': case.question.id,
            'item_id': case.question.id,
            'pair_key': case.question.id,
            'q_index': number,
            'turn_index': number,
            **self._evidence(ours),
            'raw_prompt': prompt,
            'baseline_raw_prompt': prompt,
            'prompt_hash': _hash(prompt),
            'baseline_prompt_hash': _hash(prompt),
            'input_ids_hash': _hash(self._ids(ours, case)),
            'baseline_input_ids_hash': _hash(self._ids(base, case)),
            **{
                f'baseline_{key}': self._evidence(base)[key]
                for key in ('frame_ids', 'frame_hashes')
            },
            **_answers(ours, base),
            **_times(ours),
            'baseline_end_to_end_ms': _ms(base.question.latency),
            'baseline_elapsed_ms': _ms(base.busy),
            'vit_calls': ours.windows,
            'baseline_vit_calls': base.windows,
            'low_fps_dense_vit_calls': pair[LOW_FPS].windows,
            'peak_memory_gb': round(memory / 1e9, 6),
            **self._cache(ours, case),
            'baseline_prompt_tokens': len(self._ids(base, case)),
            'generation_tokens': len(ours.question.token_ids),
            'seed': 0,
            'temperature': 0.0,
            'top_p': 1.0,
            'fps': FPS,
            'last_k': len(OFFSETS[arm]) if arm == RECENCY else None,
            'event_time_s': case.start,
            'observation_window_s': WINDOW,
            'stale_cache_case_id': None if case.earlier is None else case.question.id,
            'changed_answer_expected': normalised(case.before) != normalised(case.question.answer),
            'source_media_path': str(self._video.media.relative_to(self._video.folder.parent)),
            'source_media_sha256': self._media,
            **_native(ours if arm == NATIVE else None),
        }
        return row

    def _evidence(self, charge: Charge) -> Row:
        """Which frames the answer rests on."""
        shown = [self._frames[stamp] for stamp in charge.question.window]
        numbers = [self._index[frame.stamp] for frame in shown]
        hashes = [frame.digest for frame in shown]
        return {
            'prompt_frame_count': len(shown),
            'frame_ids': [f'{self._video.name}/{number:04d}' for number in numbers],
            'frame_hashes': hashes,
            'frame_selection_hash': _hash(numbers),
            'frames_sha256': _hash(hashes),
            'selected_frame_indices': numbers,
            'evidence_budget': f'{len(shown)} frames of {WINDOW:g} s',
        }

    def _ids(self, charge: Charge, case: EventCase) -> list[int]:
        """The prompt as token ids: prefix, frames, question."""
        text = self._family.text
        shown = [self._frames[stamp] for stamp in charge.question.window]
        frames = [self._family.captioned_rows(frame, 0).ids.tolist() for frame in shown]
        question = text.question_ids(case.question.question, case.question.choices)
        return [*text.prefix_ids, *(i for ids in frames for i in ids), *question]

    def _cache(self, charge: Charge, case: EventCase) -> Row:
        """What the cache held before the question came, and the work in every unit."""
        question = charge.question
        tokens = len(self._ids(charge, case))
        # Choices and decoded tokens are rows, too, but not of the prompt.
        reused = max(0, tokens - question.rows)
        frame = next(iter(self._frames.values()))
        return {
            'prompt_tokens': tokens,
            'prefix_hit': reused,
            'prefix_coverage': round(reused / tokens, 6),
            'cache_topology': {
                'exact': question.exact,
                'tower_windows': charge.windows,
                'tower_windows_per_frame': int(self._family.windows(frame.grid).max()) + 1,
                'tower_calls': charge.calls,
                'tower_windows_after_question': question.windows,
                'rows': charge.rows,
                'rows_after_question': question.rows,
                'blocks_owed': question.owed,
            },
        }


def _answers(ours: Charge, base: Charge) -> Row:
    question, dense = ours.question, base.question
    right = [normalised(q.answer) == normalised(q.truth) for q in (question, dense)]
    return {
        'raw_response': question.answer,
        'baseline_raw_response': dense.answer,
        'session_choice': question.answer if question.parsed else None,
        'baseline_choice': dense.answer if dense.parsed else None,
        'choice_diff': question.answer != dense.answer,
        'session_correct': right[0],
        'baseline_correct': right[1],
        'correctness_diff': right[0] != right[1],
        'session_parse_failure': not question.parsed,
        'baseline_parse_failure': not dense.parsed,
        'parse_failure': not (question.parsed and dense.parsed),
        'text_identical': question.answer == dense.answer,
    }


def _times(charge: Charge) -> Row:
    question = charge.question
    shown = question.vision + question.prefill
    return {
        'decode_ms': None,
        'vision_ms': _ms(question.vision),
        'prefill_ms': _ms(question.prefill),
        'repair_prefill_ms': None,
        'generate_ms': _ms(max(0.0, question.latency - shown)),
        'end_to_end_ms': _ms(question.latency),
        'elapsed_ms': _ms(charge.busy),
        'stage_timings_ms': {
            'ttft': _ms(question.ttft),
            'ttft_with_newest_frame': _ms(question.ttft + question.admission),
            'busy_since_last_question': _ms(charge.busy),
        },
    }


def _native(charge: Charge | None) -> Row:
    """What became of the frames since the last question; null for arms that do not look."""
    return {
        'native_frames_processed': charge and len(charge.frames),
        'native_update_count': charge and charge.updated,
        'native_rebuild_count': charge and charge.rebuilt,
        'native_skip_count': charge and charge.skipped,
    }


def _prompt(case: EventCase) -> str:
    return f'{case.question.question}\nOptions: {", ".join(case.question.choices)}'


def _hash(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return hashlib.sha256(text.encode()).hexdigest()


def _ms(seconds: float) -> float:
    return round(1e3 * seconds, 3)


def to_jsonl(rows: Sequence[Row]) -> str:
    """One row a line."""
    return ''.join(json.dumps(row, ensure_ascii=False) + '\n' for row in rows)
