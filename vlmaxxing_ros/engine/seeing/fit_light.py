# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Finding the light of a frame, so that exposure and lamps do not look like change.

A robust gain and offset per channel, guessed where a guess holds, and the bands of lamps.  Knows
images; knows nothing of blocks, thresholds or what is bought.
"""

from __future__ import annotations

import numpy as np

from vlmaxxing_ros.engine.seeing.bands import deviation, fit_band
from vlmaxxing_ros.engine.seeing.light import MID_GREY, NEGLIGIBLE, UNCHANGED, Light

_ROWS, _COLUMNS = 40, 25  # samples, about; bands need many rows
_FEWEST = 32  # usable samples, without which nothing is fitted
_ROUNDS = 4
_FLAT = 16.0  # squared grey levels: a contrast that says little about the gain
_SETTLED = 0.01  # change of gain from one round to the next
_PLAIN = 0.3  # grey levels, of means: the light is taken as unchanged at first sight
_SWAY = 6.0  # grey levels that one pixel may add to such a mean
_FAR = 4.0  # grey levels, of middle grey: another light than the previous one
_MOST = 4.0  # gain, up or down, that a guess may have
_POOR = 12.0  # grey levels of median residual: no light explains this
_NEAR = 3.0  # grey levels: a pixel as near to a limit may have been clipped
_CENTRE, _REACH = 127.5, 127.5 - _NEAR  # one that was says nothing of the gain


def fit_light(
    seen: np.ndarray,
    reference: np.ndarray,
    previous: Light = UNCHANGED,
    *,
    clipped_from: float = 255.0,
) -> Light:
    """Guess the light, or fit it by trimmed least squares, per channel, on a subsample.

    Trimming drops pixels whose residual exceeds 2.5 robust standard deviations, so what really
    changed, up to nearly half of the image, has no say.  Where no light explains most of the
    image the answer is `UNCHANGED`: what is left then is change.

    Args:
        seen: uint8 [h, w, 3].
        reference: int16 [h, w, 3], the same scene in its own light.
        previous: kept, to the bit, while it still holds: a light that jitters adds noise.
        clipped_from: level of the reference that some light has clipped somewhere.
    """
    down, right = max(1, seen.shape[0] // _ROWS), max(1, seen.shape[1] // _COLUMNS)
    samples = seen[::down, ::right]
    both = np.empty((2, 3, *samples.shape[:2]), np.float32)
    both[0] = reference[::down, ::right].transpose(2, 0, 1)
    both[1] = samples.transpose(2, 0, 1)
    x, y = both
    if previous.band is None and _plainly_holds(previous, x, y):
        return previous
    grey = both.sum(axis=1)
    if previous.band is None:
        dimmed = _dimmed(grey, previous)
        if dimmed is not None and _plainly_holds(dimmed, x, y):
            return dimmed
    else:
        previous = UNCHANGED  # bands roll on: what is fitted anew has no use for the last ones
    usable = np.abs(both - _CENTRE).max(axis=(0, 1)) < _REACH
    if clipped_from < 255:
        usable &= x.max(axis=0) < clipped_from - _NEAR
    if np.count_nonzero(usable) < _FEWEST:
        return UNCHANGED
    band = fit_band(grey[0], grey[1], usable)
    if band is None:
        return _fit_even(_by_brightness(both, grey, usable), previous)
    brightness = band(np.arange(seen.shape[0]) / (down * x.shape[1]))
    even = brightness[::down, None]
    y /= even
    grey[1] /= even
    light = _fit_even(_by_brightness(both, grey, usable), UNCHANGED)
    return Light(light.gain, light.offset, brightness)


def _dimmed(grey: np.ndarray, previous: Light) -> Light | None:
    """The light if all of it, in every colour, got dimmer or brighter.

    By the middle ratio; by that of the sums where a tenth of the image disagrees, as edges do that
    shake.  None where it is near the previous light, which may still hold: errors would add up in
    the blocks that are bought in it; or so far from no light that little can be told from little.

    Args:
        grey: float32 [2, h, w], sums over the channels of the reference and of what is seen.
        previous: a light without bands.
    """
    x, y = grey.reshape(2, -1)
    gain = float(_middle((y / np.maximum(x, 1))[None])[0])
    if np.count_nonzero(np.abs(y - gain * x) > 3 * _SWAY) > 0.1 * x.size:
        gain = float(y.sum() / max(x.sum(), 1.0))
    light = Light(np.full(3, gain, np.float32), UNCHANGED.offset)
    light = UNCHANGED if light.negligible else light
    near = float(np.abs(light.mid_grey - previous.mid_grey).min()) < _FAR
    return None if near or not 1 / _MOST <= gain <= _MOST else light


def _plainly_holds(light: Light, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether dark and bright parts, and all parts of the image, are where this light puts them.

    A quick look at means, in which what moves counts for little: enough for most frames.  They
    may be off by as much as single pixels that are off by chance explain, which a shaking camera
    makes of every edge.  Where the look says no, the medians decide.

    Args:
        x, y: float32 [3, h, w], the reference and what is seen.
    """
    shape, count = x.shape, x[0].size
    x, y = x.reshape(3, -1), y.reshape(3, -1)
    difference = _residual(light.gain, light.offset, x, y)
    # By both images, as they are in the present light; see `_by_brightness`.
    bright = 2 * y - difference > 2 * light.mid_grey[:, None]
    np.minimum(difference, _SWAY, out=difference)
    np.maximum(difference, -_SWAY, out=difference)
    flat = difference.ravel()
    by_chance = 3 * (float(flat @ flat) / flat.size / count) ** 0.5
    contrast = float(flat @ bright.ravel()) / flat.size
    if abs(contrast) >= max(0.5 * _PLAIN, 0.5 * by_chance):
        return False
    channels = (difference.sum(axis=1) / count).tolist()
    if max(map(abs, channels)) >= max(_PLAIN, by_chance):
        return False
    pixels, columns = difference.sum(axis=0) / 3, shape[2]
    by_chance = 1.5 * (float(pixels @ pixels) / count / columns) ** 0.5
    return deviation(pixels.reshape(shape[1:]).sum(axis=1) / columns) < max(_PLAIN, by_chance)


def _by_brightness(both: np.ndarray, grey: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """The usable samples, the darker half first.

    Args:
        both: float32 [2, 3, h, w], the reference and what is seen.
        grey: float32 [2, h, w], their sums over the channels.
        usable: bool [h, w].

    Returns:
        float32 [2, 3, samples], an even number.
    """
    samples = usable.ravel().nonzero()[0]
    # By both images: bright in a noisy one alone means, on average, brighter than it is.
    brightness = (grey[0] + grey[1]).take(samples)
    half = samples.size // 2
    order = samples.take(brightness.argpartition(half)[: 2 * half])
    return both.reshape(6, -1).take(order, axis=1).reshape(2, 3, -1)


def _fit_even(both: np.ndarray, previous: Light) -> Light:
    """Gain and offset of samples; the previous light, to the bit, if it holds.

    Args:
        both: float32 [2, 3, samples], the reference and what is seen, by brightness.
        previous: or `UNCHANGED`.
    """
    x, y = both
    # Where it leaves the darker and the brighter half of each channel.
    apart = _middle(_residual(previous.gain, previous.offset, x, y).reshape(6, -1)).tolist()
    if max(map(abs, apart)) <= NEGLIGIBLE:
        return previous
    light, residual = _trimmed_fit(both, _resistant_line(x, previous, apart))
    before = _middle(np.abs(y - x)).tolist()
    after = _middle(residual).tolist()
    if sum(after) > 0.9 * sum(before) or max(after) > _POOR or light.negligible:
        return UNCHANGED
    return light


def _residual(gain: np.ndarray, offset: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What a line, [3] each, leaves of y: float32 [3, n], as x and y."""
    residual: np.ndarray = y - gain[:, None] * x
    residual -= offset[:, None]
    return residual


def _resistant_line(x: np.ndarray, light: Light, apart: list[float]) -> np.ndarray:
    """The line through the middles of both halves of each channel (Tukey, 1977), to begin with.

    Args:
        x: float32 [3, samples], by brightness.
        light: one that does not hold.
        apart: [6], how far it is off in the darker and the brighter half of each channel.

    Returns:
        float32 [2, 3]: gains and offsets.
    """
    middles = (x.reshape(6, -1).sum(axis=1) * (2 / x.shape[1])).tolist()
    lines = []
    for c in range(3):
        (dark, bright), (low, high) = middles[2 * c : 2 * c + 2], apart[2 * c : 2 * c + 2]
        tilt = (high - low) * (bright - dark) / ((bright - dark) ** 2 + _FLAT)
        lines.append((tilt, (low + high - tilt * (dark + bright)) / 2))
    start = np.array(lines, np.float32).T
    start[0] += light.gain
    start[1] += light.offset
    return start


def _trimmed_fit(both: np.ndarray, start: np.ndarray) -> tuple[Light, np.ndarray]:
    """The fit and its absolute residuals, float32 [3, samples], from this start (gains, offsets).

    `both` is float32 [2, 3, samples].
    """
    # About middle grey, so that 32 bits hold the squares.
    x, y = both - np.float32(MID_GREY)
    products = np.empty((3, 6, x.shape[1]), np.float32)
    products[:, 0], products[:, 1], products[:, 2] = 1, x, y
    for place, (a, b) in enumerate(((x, x), (x, y), (y, y)), start=3):
        np.multiply(a, b, out=products[:, place])
    gain, shift = start
    shift = shift + np.float32(MID_GREY) * (gain - 1)
    residual = np.abs(_residual(gain, shift, x, y))
    for _ in range(_ROUNDS):
        limit = np.maximum(2.0, 2.5 * 1.4826 * _middle(residual.copy()))
        weight = (residual <= limit[:, None]).astype(np.float32)
        sums = (products @ weight[:, :, None])[:, :, 0].tolist()
        before = gain
        lines = list(map(_line, sums, gain.tolist(), shift.tolist()))
        gain, shift = np.array(lines, np.float32).T
        residual = np.abs(_residual(gain, shift, x, y))
        if np.abs(gain - before).max() < _SETTLED:
            break
    return Light(gain, shift + np.float32(MID_GREY) * (1 - gain)), residual


def _line(sums: list[float], gain: float, shift: float) -> tuple[float, float]:
    """Gain and shift of the line through samples with these sums: of 1, x, y, xx, xy and yy.

    `gain` and `shift` are the last ones: what is left of the samples beside them is noise.
    """
    count, x, y, xx, xy, yy = sums
    x, y, xx, xy, yy = x / count, y / count, xx / count, xy / count, yy / count
    rest = yy + gain * gain * xx - 2 * (gain * xy + shift * (y - gain * x)) + shift * shift
    # Noise in x alone would pull the gain down (errors in variables): both images have it.
    noise = max(rest, 0.0) / (1 + gain * gain)
    variance = xx - x * x
    variance = max(variance - noise, 0.5 * variance)
    # The 1 keeps a flat image at gain 1.
    gain = max((xy - x * y + 1) / (variance + 1), 0.05)
    return gain, y - gain * x


def _middle(values: np.ndarray) -> np.ndarray:
    """The median of each row, without interpolation: half the time of numpy's.  Sorts `values`."""
    rank = values.shape[1] // 2
    values.partition(rank, axis=1)
    return values[:, rank]
