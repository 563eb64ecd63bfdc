# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Which blocks of a frame to buy.

Compares the frame with the reference, in the reference's light, and spends the budget where it
matters most.  Knows pixels and blocks; knows nothing of models, caches or messages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.light import UNCHANGED, Light, fit_light
from vlmaxxing_ros.engine.seeing.motion import MotionEstimator, Shake
from vlmaxxing_ros.engine.seeing.reference import Comparison, Reference, Seen
from vlmaxxing_ros.engine.seeing.statistics import STATISTICS, Compared

GAIN_LIMIT = 2.5
"""Gain, up or down, beyond which another light is another scene."""

OFFSET_LIMIT = 64.0
"""Shift of middle grey beyond which a block seen in another light is bought again, and offset
beyond which another light is another scene; grey levels."""

NOISE_SHARE = 0.33
"""Share of the blocks, the quietest, that are taken to show nothing but noise."""

NOISE_FLOOR = 1.5
"""How many times what the quietest blocks show a change must be to count.  In Gaussian noise
that is 4.5 standard deviations of a tile's mean."""

NOISE_LIMIT = 9.0
"""Most that is taken for noise in a block, in grey levels: beyond, it is change."""

SHIFTED_SHARE = 0.05
"""Share of the blocks, the most changed, that a frame may spend on shifted ones."""

STILL = 0.5
"""The camera counts as still below this motion; pixels per frame."""

STRIP = 550_000
"""Values of an image that are compared at a time."""

_TURNS_FROM = 3
"""Frames that must be left to the oldest blocks if their turns are to begin a frame later."""

_NEVER = np.iinfo(np.int64).max
_ROUNDING = 1e-3  # frames: an interval is not a round number


class Verdict(IntEnum):
    """What became of a block since it was bought.

    STATIC: no change.  SHIFTED: a little, or dirty and not yet settled; reused unless there is
    budget to spare.  NOVEL: changed.  EXPIRED: unchanged as far as can be seen, but its turn.
    """

    STATIC = 0
    SHIFTED = 1
    NOVEL = 2
    EXPIRED = 3


@dataclass(frozen=True)
class Plan:
    """What to buy of one frame.

    Attributes:
        whole: take the frame whole; nothing at the same position may be reused.
        reason: why whole; '' otherwise.
        verdicts: uint8 [rows, cols], values of `Verdict`.
        fresh: bool [rows, cols], what to buy now: novel and expired blocks within the budget and,
            where there is room, a few shifted ones; or every block of a whole frame.
        change: float32 [rows, cols], the statistic.
        gain, offset: float32 [3], the light against that of the last whole frame.
        motion: of the image content since the previous planned frame, (right, down) in pixels.
    """

    whole: bool
    reason: str
    verdicts: np.ndarray
    fresh: np.ndarray
    change: np.ndarray
    gain: np.ndarray
    offset: np.ndarray
    motion: tuple[float, float]


class Planner:
    """Plans frame after frame of one camera.

    Holds only what motion and noise need between frames.  All that is remembered of blocks lives
    in the reference, whose counters `plan` updates and whose pixels only `Reference.admit` moves.
    """

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._statistic = STATISTICS[config.statistic]
        self._motion = MotionEstimator()
        self._shaking = Shake()
        self._shakes = False
        self._noise = 0.0
        self._newest: tuple[Frame, np.ndarray, tuple[float, float]] | None = None

    def plan(
        self,
        frame: Frame,
        reference: Reference | None,
        *,
        camera_velocity: tuple[float, float] | None = None,
    ) -> Plan:
        """Decide what to buy of `frame`.

        Args:
            frame: the newest frame.
            reference: what is in use; None or another grid: there is nothing to reuse.
            camera_velocity: how fast the image content moves, from odometry or a gimbal: (right,
                down) in pixels of the grid per second.  The larger of it and our estimate counts.
                Like our estimate it is taken once per frame, at its first plan.
        """
        image, motion = self._look(frame, camera_velocity)
        if reference is None or reference.grid != frame.grid:
            reason = 'first frame' if reference is None else 'another image size'
            return _everything(frame.grid, reason, motion)
        _advance(reference, frame.stamp)
        change, low, high, light = self._compare(frame, image, reference, motion)
        dirty = reference.unsettled > 0
        changed = change >= low
        # What has been novel needs no more than the low threshold until it settles.
        novel: np.ndarray = (change >= high) | (reference.active & changed)
        assert reference.comparison is not None
        if not (light.unchanged and reference.comparison.even):
            apart = np.abs(reference.comparison.mid_grey - light.mid_grey)
            if apart.max() > OFFSET_LIMIT:
                novel |= (apart > OFFSET_LIMIT).any(axis=2)
        settling = np.where(changed | novel, self._config.settle_frames, reference.unsettled - 1)
        reference.unsettled = np.maximum(settling, 0).astype(np.int32)
        reference.active = (reference.active | novel) & (reference.unsettled > 0)

        overdue, expired = self._expire(reference, novel, frame.stamp)
        verdicts = np.zeros(change.shape, np.uint8)  # Verdict.STATIC
        verdicts[reference.unsettled > 0] = Verdict.SHIFTED
        verdicts[expired] = Verdict.EXPIRED
        verdicts[novel] = Verdict.NOVEL
        reason = self._why_whole(frame.grid, motion, light, novel, overdue)
        if reason:
            fresh = np.ones_like(novel)
        else:
            # Shifted once may be noise; shifted again is not, but where edges are that shake.
            shifted = dirty & changed & ~novel & ~expired & (not self._shakes)
            fresh = self._spend(change, novel | expired, overdue, shifted)
        return Plan(bool(reason), reason, verdicts, fresh, change, light.gain, light.offset, motion)

    def _look(
        self, frame: Frame, camera_velocity: tuple[float, float] | None
    ) -> tuple[np.ndarray, tuple[float, float]]:
        """The image to compare and its motion: once per frame, against however many references."""
        if self._newest is None or self._newest[0] is not frame:
            image = self._statistic.prepare(frame.pixels, frame.grid)
            right, down = self._motion.update(image)
            cell = self._statistic.cell(frame.grid)
            motion = (right * cell, down * cell)
            self._shakes = self._shaking.update(motion)
            if camera_velocity is not None and self._newest is not None:
                interval = (frame.stamp - self._newest[0].stamp) * 1e-9
                hint = (camera_velocity[0] * interval, camera_velocity[1] * interval)
                motion = max(motion, hint, key=lambda m: math.hypot(*m))
            self._newest = (frame, image, motion)
        return self._newest[1:]

    def _compare(
        self,
        frame: Frame,
        image: np.ndarray,
        reference: Reference,
        motion: tuple[float, float],
    ) -> tuple[np.ndarray, float, float, Light]:
        """Measure the change, and what the thresholds are in this noise."""
        statistic, name, grid = self._statistic, self._config.statistic, frame.grid
        comparison = reference.comparison
        if comparison is None or comparison.statistic != name:
            start = statistic.prepare(reference.pixels, grid)
            comparison = Comparison.start(name, start, grid.rows, grid.cols)
            reference.comparison, reference.seen = comparison, None
        previous = reference.seen.light if reference.seen else UNCHANGED
        light = fit_light(
            image, comparison.image, previous, clipped_from=comparison.brightest.min()
        )
        reference.seen = Seen(frame, image, light)
        change = self._measure(image, light, comparison, grid)
        if math.hypot(*motion) < STILL:
            # While the camera moves, everything changes: keep what is known of the noise.
            rank = int(NOISE_SHARE * change.size)
            noise = float(np.partition(change, rank, axis=None)[rank])
            self._noise = min(noise, NOISE_LIMIT) if statistic.adaptive else 0.0
        low = max(self._config.low, NOISE_FLOOR * self._noise)
        return change, low, low + self._config.high - self._config.low, light

    def _measure(
        self, image: np.ndarray, light: Light, comparison: Comparison, grid: Grid
    ) -> np.ndarray:
        """The change of every block: float32 [rows, cols]."""
        cell = self._statistic.cell(grid)
        side = grid.block // cell
        # In strips: memory of their size is used again, that of a large image is new each time.
        height = max(1, STRIP // (side * image.shape[1] * 3))
        # Where the camera shakes, what a strip shows at its border may come from beyond.
        margin = int(self._shakes)
        change = []
        for top in range(0, grid.rows, height):
            bottom = min(top + height, grid.rows)
            blocks = slice(max(top - margin, 0), min(bottom + margin, grid.rows))
            cells = slice(blocks.start * side, blocks.stop * side)
            seen, before = light.undo(image[cells], cells), comparison.image[cells]
            levels = (0, 255)
            if not (light.unchanged and comparison.even):
                seen, before, levels = _clip(seen, before, light, comparison, blocks)
            strip = Grid(blocks.stop - blocks.start, grid.cols, grid.block)
            compared = Compared(seen, before, strip, cell, levels, self._shakes)
            own = slice(top - blocks.start, bottom - blocks.start)
            change.append(self._statistic.compare(compared)[own])
        return np.concatenate(change)

    def _expire(
        self, reference: Reference, novel: np.ndarray, stamp: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Blocks past the staleness bound, and with them those whose turn it is.

        Each block has a number of planned frames left.  A frame takes just as many as spread the
        work evenly over the frames that are left, oldest first: after a keyframe that is an equal
        share of the blocks in turn; a block bought for being novel waits for its next turn.  Turns
        begin with the second frame: a tail that is settled after each never pays for them.
        """
        config = self._config
        left: np.ndarray = reference.admitted_at + (config.max_age_frames - reference.index)
        spare = config.max_age - reference.oldest_age(stamp)
        if spare < config.max_age_frames * reference.interval:
            time_left = config.max_age - (stamp - reference.stamps) * 1e-9
            in_frames = np.floor(time_left / reference.interval + _ROUNDING)
            left = np.minimum(left, in_frames.clip(-1, 1e6).astype(np.int64))
        np.maximum(left, 0, out=left)
        overdue = left == 0
        just_whole = reference.admitted_at.min() == reference.index - 1
        if just_whole and left.min() >= _TURNS_FROM:
            return overdue, overdue
        # The k blocks with at most f frames left need k / (f + 1) of this frame.
        waiting = np.bincount(np.minimum(left, left.size)[~novel], minlength=1).cumsum()
        needed = (waiting // np.arange(1, waiting.size + 1)).max()
        if needed == 0:
            return overdue, overdue
        urgency = left * left.size + _turns(*left.shape)
        urgency[novel] = _NEVER
        last = np.partition(urgency, needed - 1, axis=None)[needed - 1]
        return overdue, overdue | (urgency <= last)

    def _why_whole(
        self,
        grid: Grid,
        motion: tuple[float, float],
        light: Light,
        novel: np.ndarray,
        overdue: np.ndarray,
    ) -> str:
        """Why nothing should be reused; '' if there is no reason."""
        blocks = math.hypot(*motion) / grid.block
        if blocks > self._config.max_motion:
            return f'camera moved {blocks:.2f} blocks in one frame'
        if not light.unchanged and light.beyond(GAIN_LIMIT, OFFSET_LIMIT):
            return 'light beyond the limit'
        limit = self._config.keyframe_fraction * grid.blocks
        if np.count_nonzero(novel) >= limit:
            return f'{np.count_nonzero(novel)} of {grid.blocks} blocks changed'
        if np.count_nonzero(novel | overdue) >= limit:
            return f'{np.count_nonzero(novel | overdue)} of {grid.blocks} blocks changed or too old'
        return ''

    def _spend(
        self, change: np.ndarray, wanted: np.ndarray, overdue: np.ndarray, shifted: np.ndarray
    ) -> np.ndarray:
        """Buy within the budget: overdue blocks first, then the most changed, then shifted."""
        budget = int(self._config.max_fresh_fraction * wanted.size)
        fresh = _most(wanted, budget, change, overdue)
        spare = min(budget - np.count_nonzero(fresh), math.ceil(SHIFTED_SHARE * wanted.size))
        return fresh | _most(shifted, spare, change, overdue)


def _most(blocks: np.ndarray, count: int, change: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Of a mask of blocks, at most `count`: those in the mask `first`, then the most changed."""
    if np.count_nonzero(blocks) <= count:
        return blocks
    priority = np.where(first, np.inf, change)
    order = np.argsort(np.where(blocks, -priority, np.inf), axis=None, kind='stable')
    mask = np.zeros(blocks.shape, bool)
    mask.flat[order[:count]] = True
    return mask


def _advance(reference: Reference, stamp: int) -> None:
    """Count one planned frame, and average the time between them."""
    interval = max(0.0, (stamp - reference.planned_stamp) * 1e-9)
    reference.planned_stamp = stamp
    reference.index += 1
    smooth = reference.interval
    reference.interval = interval if smooth == 0 else smooth + 0.2 * (interval - smooth)


def _clip(
    seen: np.ndarray, before: np.ndarray, light: Light, comparison: Comparison, blocks: slice
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Clip both images to what neither light clips: a sky blown out in one is no change.

    Args:
        seen, before: int16 [cell rows, cell cols, 3], these rows of `blocks` in the reference's
            light; `seen` changes.

    Returns:
        Both, and the darkest and the brightest level in them.
    """
    darkest, brightest = comparison.darkest[blocks], comparison.brightest[blocks]
    lowest, highest = np.maximum(darkest, light.darkest), np.minimum(brightest, light.brightest)
    rows, width = lowest.shape[0], seen.shape[1]
    levels = int(lowest.min()), int(highest.max())
    # One level is no change, and not worth two passes.
    clips_low = lowest.max() > min(darkest.min(), light.darkest.min()) + 1
    clips_high = highest.min() < max(brightest.max(), light.brightest.max()) - 1
    for clips, limit, clip in ((clips_low, lowest, np.maximum), (clips_high, highest, np.minimum)):
        if clips:
            wide = limit.repeat(width // limit.shape[1], axis=1).reshape(rows, 1, -1)
            now, then = (v.reshape(rows, -1, wide.shape[2]) for v in (seen, before))
            seen, before = clip(now, wide, out=now), clip(then, wide)
    shape = (-1, width, 3)
    return seen.reshape(shape), before.reshape(shape), levels


@lru_cache(maxsize=8)
def _turns(rows: int, cols: int) -> np.ndarray:
    """Order in which blocks take their turns: int64 [rows, cols], 0 first.

    The Z-order curve (Morton, 1966): the turns of one frame are neighbours, aligned as the windows
    of a vision tower are, whatever their size.  Spread over the image they would make most
    windows active in every frame.
    """
    row, col = np.mgrid[:rows, :cols]
    bits = np.arange(max(rows, cols).bit_length())[:, None, None]
    place = ((row >> bits & 1) << 2 * bits + 1) + ((col >> bits & 1) << 2 * bits)
    turns = np.empty(rows * cols, np.int64)
    turns[np.argsort(place.sum(axis=0), axis=None)] = np.arange(rows * cols)
    return turns.reshape(rows, cols)


def _everything(grid: Grid, reason: str, motion: tuple[float, float]) -> Plan:
    """A frame taken whole because there is nothing to compare it with."""
    shape = (grid.rows, grid.cols)
    return Plan(
        True,
        reason,
        np.full(shape, Verdict.NOVEL, np.uint8),
        np.ones(shape, bool),
        np.full(shape, np.inf, np.float32),
        UNCHANGED.gain,
        UNCHANGED.offset,
        motion,
    )
