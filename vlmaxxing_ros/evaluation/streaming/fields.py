# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The fields of an artifact row and what may stand in them.

Names and types are those of the authors' public schema `sam_scaleout_artifact_v1`; what we write
into them is documented in docs/evaluation.md.  Knows nothing of events or arms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SCHEMA = 'sam_scaleout_artifact_v1'

_BY_KIND: dict[str, str] = {
    'text': (
        'schema_version experiment_id protocol_id run_id phase row_role arm baseline_arm policy '
        'model_id runtime runtime_commit hardware os_version command_line memory_definition '
        'video_id item_id pair_key frame_selection_hash prompt_hash baseline_prompt_hash '
        'input_ids_hash baseline_input_ids_hash commit_sha'
    ),
    'words': 'raw_prompt baseline_raw_prompt raw_response baseline_raw_response',
    'words?': (
        'comparator_arm baseline_policy frames_sha256 evidence_budget stale_cache_case_id '
        'source_media_path source_media_sha256 model_sha quantization mlx_version metal_version '
        'event_id session_choice baseline_choice'
    ),
    'flag': (
        'choice_diff session_correct baseline_correct correctness_diff session_parse_failure '
        'baseline_parse_failure parse_failure text_identical'
    ),
    'flag?': 'changed_answer_expected',
    'count': 'q_index turn_index prompt_frame_count',
    'count?': (
        'last_k native_frames_processed native_update_count native_rebuild_count '
        'native_skip_count low_fps_dense_vit_calls vit_calls baseline_vit_calls prefix_hit '
        'prompt_tokens baseline_prompt_tokens generation_tokens seed'
    ),
    'amount': 'end_to_end_ms',
    'amount?': (
        'decode_ms vision_ms prefill_ms repair_prefill_ms generate_ms baseline_end_to_end_ms '
        'peak_memory_gb elapsed_ms baseline_elapsed_ms fps event_time_s observation_window_s '
        'temperature'
    ),
    'share?': 'prefix_coverage top_p',
    'texts': 'frame_ids frame_hashes baseline_frame_ids baseline_frame_hashes',
    'counts?': 'selected_frame_indices',
    'mapping': 'cache_topology',
    'mapping?': 'policy_params stage_timings_ms',
}

FIELDS: dict[str, str] = {name: kind for kind, names in _BY_KIND.items() for name in names.split()}
"""Name to kind; a `?` allows null."""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_FITS: dict[str, Callable[[Any], bool]] = {
    'text': lambda value: isinstance(value, str) and bool(value),
    'words': lambda value: isinstance(value, str),
    'flag': lambda value: isinstance(value, bool),
    'count': _is_count,
    'amount': lambda value: _is_number(value) and value >= 0,
    'share': lambda value: _is_number(value) and 0 <= value <= 1,
    'texts': lambda value: isinstance(value, list) and all(isinstance(v, str) for v in value),
    'counts': lambda value: isinstance(value, list) and all(_is_count(v) for v in value),
    'mapping': lambda value: isinstance(value, dict),
}


def field_faults(row: dict[str, Any]) -> list[str]:
    """What is wrong with a row's fields, as sentences; nothing if all is well."""
    faults = [f'{name} is missing' for name in FIELDS if name not in row]
    faults += [f'{name} is no field' for name in row if name not in FIELDS]
    for name, kind in FIELDS.items():
        value = row.get(name)
        if value is None and (kind.endswith('?') or name not in row):
            continue
        if not _FITS[kind.removesuffix('?')](value):
            faults.append(f'{name} is {value!r}, not of kind {kind}')
    if row.get('schema_version') != SCHEMA:
        faults.append(f'schema_version is not {SCHEMA}')
    return faults
