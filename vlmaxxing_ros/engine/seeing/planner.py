# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Which blocks of a frame differ from what was bought.

Compares the frame with the reference, in the reference's light, at camera rate.  Knows pixels and
blocks; knows nothing of models, caches or messages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.comparison import Comparison
from vlmaxxing_ros.engine.seeing.fit_light import fit_light
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.light import UNCHANGED, Light
from vlmaxxing_ros.engine.seeing.motion import MotionEstimator, Shake
from vlmaxxing_ros.engine.seeing.plan import Look, Plan, Take, Verdict
from vlmaxxing_ros.engine.seeing.reference import Reference
from vlmaxxing_ros.engine.seeing.region import Region, touched_by
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
"""Share of the blocks, the most changed, that count as fresh though they are only shifted."""

STILL = 0.5
"""The camera counts as still below this motion; pixels per frame."""

STRIP = 550_000
"""Values of an image that are compared at a time."""


class Planner:
    """Plans frame after frame of one camera, against what was admitted of earlier ones.

    Attributes:
        reference: the pixels in use; None before the first admission.  Moved by `admit` alone.
        shaking: how the camera has moved lately, as far as nothing followed it.
    """

    def __init__(self, config: EngineConfig) -> None:
        self.reference: Reference | None = None
        self._unsettled = np.zeros((0, 0), np.int32)  # frames below `low` until static again
        self._active = np.zeros((0, 0), bool)  # dirty because it was novel
        self._low = config.low  # in the noise of the newest frame
        self._comparison: Comparison | None = None
        self._light = UNCHANGED
        self._motion = MotionEstimator()
        self.shaking = Shake()
        self._noise = 0.0
        self._looked_at: int | None = None  # ns, stamp of the last frame
        self._anchor = 0  # of the last frame
        self._protected: Sequence[Region] = ()
        self.configure(config)

    def configure(self, config: EngineConfig) -> None:
        """Take on changed settings; what was admitted is kept."""
        self._config = config
        self._statistic = STATISTICS[config.statistic]
        if self.reference is not None:
            self._compare_with(self.reference)

    def look(
        self,
        frame: Frame,
        *,
        camera_velocity: tuple[float, float] | None = None,
        protected: Sequence[Region] = (),
        around: Frame | None = None,
        follows: bool = False,
    ) -> Look:
        """Take in the newest frame: the image to compare, and its motion.  Once per frame.

        Args:
            frame: the newest frame.
            camera_velocity: how fast the image content moves, from odometry or a gimbal: (right,
                down) in pixels of the grid per second.  The larger of it and our estimate counts.
            protected: regions in which change counts from the low threshold on.
            around: as in `Look`.
            follows: the lattice follows a camera that moves: edges may lie a pixel off.
        """
        if frame.anchor != self._anchor:
            self._motion, self._anchor = MotionEstimator(), frame.anchor
        image = self._statistic.prepare(frame.pixels, frame.grid)
        right, down = self._motion.update(image)
        cell = self._statistic.cell(frame.grid)
        motion = estimate = (right * cell, down * cell)
        shakes = self.shaking.update(motion)
        if camera_velocity is not None and self._looked_at is not None:
            interval = (frame.stamp - self._looked_at) * 1e-9
            hint = (camera_velocity[0] * interval, camera_velocity[1] * interval)
            motion = max(motion, hint, key=lambda m: math.hypot(*m))
        self._looked_at = frame.stamp
        self._protected = protected
        return Look(frame, image, motion, estimate, shakes or follows, self._touched(frame), around)

    def instead(self, look: Look, frame: Frame, around: Frame | None) -> Look:
        """The same image looked at again, on another lattice."""
        image = self._statistic.prepare(frame.pixels, frame.grid)
        return replace(
            look,
            frame=frame,
            image=image,
            motion=(0.0, 0.0),
            protected=self._touched(frame),
            around=around,
        )

    def _touched(self, frame: Frame) -> np.ndarray:
        """The blocks of protected regions: bool [rows, cols]."""
        shown = [region for region in self._protected if region.meets(frame.view)]
        return touched_by([region.within(frame.view) for region in shown], frame.grid)

    def plan(self, look: Look) -> Plan:
        """Decide what of a frame is to be bought.  The reference stays as it is."""
        grid = look.frame.grid
        if self.reference is None or not self.reference.fits(look.frame):
            return everything(look, self._why_nothing_fits(grid))
        change, low, high, light = self._compare(look)
        dirty, changed = self._unsettled > 0, change >= low
        # What has been novel needs no more than the low threshold until it settles.
        novel: np.ndarray = (change >= high) | ((self._active | look.protected) & changed)
        comparison = self._comparison
        assert comparison is not None
        if not (light.unchanged and comparison.even):
            apart = np.abs(comparison.mid_grey - light.mid_grey)
            if apart.max() > OFFSET_LIMIT:
                novel |= (apart > OFFSET_LIMIT).any(axis=2)
        settling = np.where(changed | novel, self._config.settle_frames, self._unsettled - 1)
        self._unsettled = np.maximum(settling, 0).astype(np.int32)
        self._active = (self._active | novel) & (self._unsettled > 0)

        verdicts = np.zeros(change.shape, np.uint8)  # Verdict.STATIC
        verdicts[self._unsettled > 0] = Verdict.SHIFTED
        verdicts[self._expired(look.frame.stamp)] = Verdict.EXPIRED
        verdicts[novel] = Verdict.NOVEL
        reason = self._why_whole(look, light, novel)
        if reason:
            return Plan(look, Take.WHOLE, reason, verdicts, np.ones_like(novel), change, light)
        # Shifted once may be noise; shifted again is not, but where edges are that shake.
        shifted = dirty & changed & ~novel & (not look.shakes)
        fresh = novel | _most(shifted, math.ceil(SHIFTED_SHARE * novel.size), change)
        take = Take.BLOCKS if fresh.any() else Take.NOTHING
        return Plan(look, take, '', verdicts, fresh, change, light)

    def _why_nothing_fits(self, grid: Grid) -> str:
        if self.reference is None:
            return 'first frame'
        return 'another image size' if self.reference.grid != grid else 'the lattice stands anew'

    def _expired(self, stamp: int) -> np.ndarray:
        """Blocks whose pixels are older than the staleness bound: bool [rows, cols]."""
        assert self.reference is not None
        return (stamp - self.reference.stamps) * 1e-9 >= self._config.max_age

    def moved(self, before: Plan, now: Plan) -> np.ndarray:
        """Which blocks changed from one frame to another, both of one grid: bool [rows, cols]."""
        grid = now.look.frame.grid
        seen, earlier = (plan.light.undo(plan.look.image) for plan in (now, before))
        cell = self._statistic.cell(grid)
        compared = Compared(seen, earlier, grid, cell, (0, 255), now.look.shakes)
        moved: np.ndarray = self._statistic.compare(compared) >= self._low
        return moved

    def changed(self, before: Look, now: Look, *, shakes: bool) -> np.ndarray:
        """Which blocks are novel if an image is held against another one: bool [rows, cols]."""
        grid, cell = now.frame.grid, self._statistic.cell(now.frame.grid)
        seen, earlier = (look.image.astype(np.int16) for look in (now, before))
        compared = Compared(seen, earlier, grid, cell, (0, 255), shakes)
        high = self._low + self._config.high - self._config.low
        novel: np.ndarray = self._statistic.compare(compared) >= high
        return novel

    def admit(self, plan: Plan, fresh: np.ndarray | None = None) -> None:
        """Move the reference to a frame that was bought.

        Args:
            plan: of that frame, made since the reference was last moved whole.
            fresh: bool [rows, cols], the blocks that were bought; None: those of the plan.
        """
        fresh = plan.fresh if fresh is None else fresh
        look, frame = plan.look, plan.look.frame
        if self.reference is None or (fresh.all() and not self.reference.fits(frame)):
            self.reference = Reference(frame)
            self._unsettled = np.zeros(fresh.shape, np.int32)
            self._active = np.zeros(fresh.shape, bool)
        else:
            self.reference.admit(frame, fresh)
        if fresh.all():
            self._unsettled[:] = 0
            self._active[:] = False
        if self._comparison is None or fresh.all():
            self._comparison = Comparison.start(look.image, *fresh.shape)
            self._light = UNCHANGED
        else:
            self._comparison.admit(look.image, plan.light, fresh)

    def _compare_with(self, reference: Reference) -> None:
        """Compare with a reference anew: another statistic looks at other images."""
        grid = reference.grid
        image = self._statistic.prepare(reference.pixels, grid)
        self._comparison = Comparison.start(image, grid.rows, grid.cols)
        self._light = UNCHANGED

    def _compare(self, look: Look) -> tuple[np.ndarray, float, float, Light]:
        """Measure the change, and what the thresholds are in this noise."""
        comparison, statistic = self._comparison, self._statistic
        assert comparison is not None
        light = self._light = fit_light(
            look.image,
            comparison.image,
            self._light,
            clipped_from=comparison.brightest.min(),
        )
        change = self._measure(look, light, comparison)
        if math.hypot(*look.motion) < STILL and (look.around is None or not look.shakes):
            # While the camera moves, everything changes: keep what is known of the noise.
            rank = int(NOISE_SHARE * change.size)
            noise = float(np.partition(change, rank, axis=None)[rank])
            self._noise = min(noise, NOISE_LIMIT) if statistic.adaptive else 0.0
        low = self._low = max(self._config.low, NOISE_FLOOR * self._noise)
        return change, low, low + self._config.high - self._config.low, light

    def _measure(self, look: Look, light: Light, comparison: Comparison) -> np.ndarray:
        """The change of every block: float32 [rows, cols]."""
        image, grid, shakes = look.image, look.frame.grid, look.shakes
        cell = self._statistic.cell(grid)
        side = grid.block // cell
        # In strips: memory of their size is used again, that of a large image is new each time.
        height = max(1, STRIP // (side * image.shape[1] * 3))
        # Where the camera shakes, what a strip shows at its border may come from beyond.
        margin = int(shakes)
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
            compared = Compared(seen, before, strip, cell, levels, shakes)
            own = slice(top - blocks.start, bottom - blocks.start)
            change.append(self._statistic.compare(compared)[own])
        return np.concatenate(change)

    def _why_whole(self, look: Look, light: Light, novel: np.ndarray) -> str:
        """Why nothing should be reused; '' if there is no reason."""
        grid, reference = look.frame.grid, self.reference
        if reference is not None and (reference.stamps == look.frame.stamp).all():
            return ''  # it is what was bought
        blocks = math.hypot(*look.motion) / grid.block
        if blocks > self._config.max_motion:
            return f'camera moved {blocks:.2f} blocks in one frame'
        if not light.unchanged and light.beyond(GAIN_LIMIT, OFFSET_LIMIT):
            return 'light beyond the limit'
        if np.count_nonzero(novel) >= self._config.keyframe_fraction * grid.blocks:
            return f'{np.count_nonzero(novel)} of {grid.blocks} blocks changed'
        return ''


def _most(blocks: np.ndarray, count: int, change: np.ndarray) -> np.ndarray:
    """Of a mask of blocks, at most `count`: the most changed."""
    if np.count_nonzero(blocks) <= count:
        return blocks
    order = np.argsort(np.where(blocks, -change, np.inf), axis=None, kind='stable')
    mask = np.zeros(blocks.shape, bool)
    mask.flat[order[:count]] = True
    return mask


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


def everything(look: Look, reason: str) -> Plan:
    """A frame taken whole because there is nothing to compare it with; `reason` as in `Plan`."""
    shape = (look.frame.grid.rows, look.frame.grid.cols)
    return Plan(
        look,
        Take.WHOLE,
        reason,
        np.full(shape, Verdict.NOVEL, np.uint8),
        np.ones(shape, bool),
        np.full(shape, np.inf, np.float32),
        UNCHANGED,
    )
