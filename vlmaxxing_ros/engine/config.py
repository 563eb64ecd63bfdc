# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Every setting of the engine, with its default, unit, range and meaning.

Knows nothing of ROS: the node turns each field into a parameter of the same name and the
descriptions below into parameter descriptors; `config/vlmaxxing.yaml` mirrors the defaults.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any

from vlmaxxing_ros.engine.question import MAX_TOKENS


def setting(
    default: Any,
    description: str,
    *,
    unit: str = '',
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    fixed: bool = False,
) -> Any:
    """Declare one setting: a dataclass field that carries its own documentation.

    `fixed` settings are read when the model is loaded and cannot change while the node runs.
    """
    return field(
        default=default,
        metadata={
            'description': description,
            'unit': unit,
            'minimum': minimum,
            'maximum': maximum,
            'choices': choices,
            'fixed': fixed,
        },
    )


@dataclass(frozen=True, kw_only=True)
class EngineConfig:
    """Settings of the engine.  Frozen: a changed setting is a new, validated object.

    Raises:
        ValueError: a value is of the wrong type or out of its range; the message names the
            setting, the value and what is allowed.
    """

    # Model
    model: str = setting(
        'nano',
        'nano (built in), a folder, or a hub id such as mlx-community/Qwen2.5-VL-7B-Instruct-4bit',
        fixed=True,
    )
    model_revision: str = setting(
        'main',
        'branch, tag or commit of a hub id; a commit is always the same model',
        fixed=True,
    )
    dtype: str = setting(
        'auto',
        'compute type of unquantised weights; auto: float32 on the CPU, as stored on a GPU',
        choices=('auto', 'float32', 'float16', 'bfloat16'),
        fixed=True,
    )
    kv_bits: int = setting(
        0,
        'keys and values are kept in this many bits, 4 or 8, where the family can; 0: as computed',
        unit='bits',
        minimum=0,
        maximum=8,
        fixed=True,
    )
    visual_experts: int = setting(
        0,
        'experts per visual row of a mixture-of-experts model (FastMMoE), fewer than its own '
        'number: another, faster model; 0: its own number',
        unit='experts',
        minimum=0,
        maximum=64,
        fixed=True,
    )
    max_blocks: int = setting(
        192,
        'blocks per frame at most: the image is resized to fit, keeping its aspect ratio',
        unit='blocks',
        minimum=1,
        maximum=16384,
        fixed=True,
    )

    # History and tail
    keyframe_interval: float = setting(
        1.0,
        'time between keyframes at least; they are frames in which something was novel',
        unit='s',
        minimum=0.0,
    )
    keep_keyframes: int = setting(
        4,
        'keyframes that a new generation retains; the history holds up to twice as many',
        unit='frames',
        minimum=0,
        maximum=1024,
    )
    keep_notes: int = setting(
        0,
        'notes that a new generation retains, the newest; the history holds up to twice as many; '
        '0: ~/note is refused',
        unit='notes',
        minimum=0,
        maximum=64,
    )
    token_budget: int = setting(
        8192,
        'rows one generation may hold before the next, retaining half of them, takes over',
        unit='tokens',
        minimum=64,
        maximum=1_000_000,
    )
    tail_mode: str = setting(
        'auto',
        'exact: prefill the newest frame whole; refresh: recompute its fresh blocks in place; '
        'auto: refresh, settle when all is calm, exact past a bound',
        choices=('auto', 'exact', 'refresh'),
    )
    max_refreshed: float = setting(
        3.0,
        'auto: rows refreshed since the last exact tail, over its size, that force an exact one',
        unit='ratio',
        minimum=0.0,
    )
    compression: str = setting(
        'none',
        'infinipot: lossy compression of the history at the token budget, flagged in every answer',
        choices=('none', 'infinipot'),
    )

    # Planner
    statistic: str = setting(
        'tile_mean',
        'how the change of a block is measured',
        choices=('tile_mean', 'mean', 'max_abs', 'changed_pixel_fraction', 'top_k_mean'),
    )
    low: float = setting(
        3.0,
        'change below which a block is static',
        unit='grey levels',
        minimum=0.0,
        maximum=255.0,
    )
    high: float = setting(
        8.0,
        'change above which a block is novel',
        unit='grey levels',
        minimum=0.0,
        maximum=255.0,
    )
    settle_frames: int = setting(
        2,
        'frames below the low threshold after which a dirty block counts as static again',
        unit='frames',
        minimum=1,
        maximum=100,
    )
    max_age: float = setting(
        30.0,
        'staleness bound of what does not change: time after which a block is bought again',
        unit='s',
        minimum=0.0,
    )
    keyframe_fraction: float = setting(
        0.85,
        'share of fresh blocks from which the frame is taken whole',
        unit='ratio',
        minimum=0.0,
        maximum=1.0,
    )
    max_motion: float = setting(
        0.25,
        'camera motion per frame beyond which reuse at the same position is off',
        unit='blocks',
        minimum=0.0,
    )
    follow: str = setting(
        'auto',
        'auto: the blocks follow what a moving camera shows, inside a margin, where that pays; '
        'off: they never do',
        choices=('auto', 'off'),
    )
    follow_margin: int = setting(
        56,
        'pixels along each axis in which they can follow; that much of the view is left out '
        'meanwhile. A frame with a side of less than three margins is not followed',
        unit='pixels of the grid',
        minimum=8,
        maximum=448,
    )

    # Paying
    calm: float = setting(
        0.3,
        'change that has stood still for so long is paid in the background, and for longer where '
        'nobody asks; 0: all change is',
        unit='s',
        minimum=0.0,
    )
    max_owed: float = setting(
        5.0,
        'change that goes on is paid in the background after so long',
        unit='s',
        minimum=0.0,
    )
    max_duty: float = setting(
        0.2,
        'share of the time for which the model may be busy while nobody asks; 0: only when asked',
        unit='ratio',
        minimum=0.0,
        maximum=1.0,
    )
    max_slice: float = setting(
        0.05,
        'time that one slice of work should take at most, and a question wait for; it is at least '
        'one layer of the model',
        unit='s',
        minimum=0.001,
        maximum=10.0,
    )

    # Answering
    max_tokens: int = setting(
        64,
        'tokens of an answer at most, where the question does not say',
        unit='tokens',
        minimum=1,
        maximum=MAX_TOKENS,
    )
    thinking: int = setting(
        0,
        'tokens that a model which can think may think before it answers; 0: none, -1: any number',
        unit='tokens',
        minimum=-1,
        maximum=1_000_000,
    )
    max_question_tokens: int = setting(
        2048,
        'tokens of a question at most; a longer one is refused',
        unit='tokens',
        minimum=1,
        maximum=131072,
    )
    settle_margin: float = setting(
        0.0,
        'an answer whose margin is less, from a refreshed tail, waits until that is exact, if its '
        'deadline leaves time to; 0: none does',
        unit='nats',
        minimum=0.0,
    )
    audit_interval: float = setting(
        30.0,
        'time between audits of the cache in idle time; 0: only on request',
        unit='s',
        minimum=0.0,
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            check(spec, getattr(self, spec.name))
        if not self.model.strip():
            raise ValueError('model is empty: write nano, a folder or a hub id')
        if self.low > self.high:
            raise ValueError(f'low ({self.low}) must not exceed high ({self.high})')


def check(spec: Field[Any], value: Any) -> None:
    """Check one value against its setting.

    Raises:
        ValueError: wrong type, out of range or not among the choices.
    """
    default: Any = spec.default
    kind, choices = type(default), spec.metadata['choices']
    if not _is(value, kind) and not choices:
        raise ValueError(f'{spec.name} must be of type {kind.__name__}, not {value!r}')
    if kind is tuple and not all(_is(item, type(default[0])) for item in value):
        item = type(default[0]).__name__
        raise ValueError(f'{spec.name} must hold values of type {item}, not {value!r}')
    if choices and value not in choices:
        raise ValueError(f'{spec.name} must be one of {", ".join(choices)}, not {value!r}')
    minimum, maximum = spec.metadata['minimum'], spec.metadata['maximum']
    # `not >=` rather than `<`, so that NaN is refused too.
    if minimum is not None and not value >= minimum:
        raise ValueError(f'{spec.name} must be at least {minimum}, not {value}')
    if maximum is not None and not value <= maximum:
        raise ValueError(f'{spec.name} must be at most {maximum}, not {value}')


def _is(value: Any, kind: type) -> bool:
    """Whether a value is of a kind; whole numbers are numbers, true and false are none."""
    if isinstance(value, bool) != (kind is bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)
