# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Does streaming mean to a model what one cold prompt means?  A few frames and a question tell.

The reference is mlx-vlm's own path, processor included: one prompt with every image, prefilled as
one chunk.  The stream appends the same frames one by one.  Knows no family's inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from mlx_vlm.utils import prepare_inputs
from PIL import Image

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.families.generic import embed
from vlmaxxing_ros.engine.families.prompts import MARK, render
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid

# Chunks of other shapes round differently, most where the type is narrow or a GPU multiplies
# float32 in TF32; a wrong position or mask is off by far more.
_TOLERANCE = 1e-3
_ROUGH_TOLERANCE = 0.1


@dataclass(frozen=True)
class SelfTest:
    """What the test found.

    Attributes:
        ok: the stream's ids and logits are those of the cold prompt.
        difference: largest difference of the logits over the largest logit; inf where the two
            cannot be compared.
        text: for people.
    """

    ok: bool
    difference: float
    text: str


def self_test(family: Family) -> SelfTest:
    """Stream one, two and three frames and a question, and compare with the stock cold prompt.

    The ids are compared each time, the logits with two frames, where the stock path shows two.
    Before that, the stock path is compared with itself: it must show a model the tokens of its own
    answer as it shows it a prompt's.

    Raises:
        ModelError: features or logits are not finite numbers.
    """
    wrong = _generates_otherwise(family)
    if wrong:
        return SelfTest(False, float('inf'), wrong)
    for count in (1, 2, 3):
        _, _, wrong = _prompts(family, count)
        if wrong:
            return SelfTest(False, float('inf'), wrong)
    return _compare(family, min(2, family.stock_images))


def long_test(family: Family, rows: int = 1100) -> SelfTest:
    """The same past `rows` rows, where some kernels change their ways.

    Raises:
        ModelError: features or logits are not finite numbers.
    """
    grid = _grid(family)
    frames = -(-rows // len(family.frame_rows(grid, 0)))
    return _compare(family, min(frames, family.stock_images))


def _grid(family: Family) -> Grid:
    return family.grid(96, 128, 16384)


def _frames(family: Family, count: int) -> list[Frame]:
    """Frames of noise."""
    grid, random = _grid(family), np.random.default_rng(0)
    shape = (grid.height, grid.width, 3)
    return [
        Frame(random.integers(0, 256, shape, np.uint8), grid, stamp, 'self_test')
        for stamp in range(1, count + 1)
    ]


def _prompts(family: Family, count: int) -> tuple[dict[str, mx.array], list[int], str]:
    """What mlx-vlm prefills for so many frames, the same as ids of rows, and what ours lack."""
    frames = _frames(family, count)
    stock = _stock_inputs(family, frames)
    ids = _one_id_per_row(family, np.array(stock['input_ids'])[0].tolist())
    return stock, ids, _difference(family, _streamed_ids(family, frames), ids)


def _streamed_ids(family: Family, frames: list[Frame]) -> list[int]:
    """Ids as a stream appends them: the prefix, each frame, the question."""
    ids, end = list(family.text.prefix_ids), len(family.text.prefix_ids)
    for frame in frames:
        rows = family.frame_rows(frame.grid, end)
        ids, end = [*ids, *rows.ids.tolist()], rows.end
    prompts = family.text.prompts
    # Where the stock prompt leaves a block for thoughts open, so does this one.
    left_open = not prompts.shown[0].endswith(prompts.after)
    return [*ids, *family.text.question_ids(MARK, (), thinking=left_open)]


def _stock_inputs(family: Family, frames: list[Frame]) -> dict[str, mx.array]:
    """What mlx-vlm prefills for these frames and `MARK` as a question."""
    shown, kind = family.text.prompts.shown, family.model.config.model_type
    few = len(frames) <= len(shown)
    inputs = prepare_inputs(
        family.processor,
        images=[Image.fromarray(frame.pixels) for frame in frames],
        prompts=shown[len(frames) - 1]
        if few
        else render(family.processor, MARK, images=len(frames), model_type=kind),
        image_token_index=family.image_id,
    )
    ids = np.array(inputs['input_ids'])[0].tolist()
    dressed = family.text.one_bos(ids)
    if dressed != ids:
        # Template and tokenizer both began the sequence, or neither did.
        kept = len(ids) - min(len(ids), len(dressed))
        for key in ('attention_mask', 'mm_token_type_ids', 'token_type_ids'):
            if inputs.get(key) is not None:
                mask = np.array(inputs[key])[:, kept:]
                missing = len(dressed) - mask.shape[1]
                inputs[key] = mx.array(np.pad(mask, ((0, 0), (missing, 0)), mode='edge'))
        inputs['input_ids'] = mx.array([dressed])
    return inputs


def _one_id_per_row(family: Family, ids: list[int]) -> list[int]:
    """Stock ids as the stream counts them: some models have one id for all rows of an image."""
    rows = int((family.frame_rows(_grid(family), 0).blocks >= 0).sum())
    if family.stock_images == 1:
        return [i for id_ in ids for i in [id_] * (rows if id_ == family.image_id else 1)]
    return ids


def _difference(family: Family, ours: list[int], stock: list[int]) -> str:
    """What differs, for people; empty where nothing does."""
    if ours == stock:
        return ''
    pairs = enumerate(zip(ours, stock, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(ours), len(stock)))
    tokenizer = getattr(family.processor, 'tokenizer', family.processor)
    told = [tokenizer.decode([max(i, 0) for i in ids[same : same + 8]]) for ids in (stock, ours)]
    return (
        f'the processor writes {stock[same : same + 8]} ({told[0]!r}), not '
        f'{ours[same : same + 8]} ({told[1]!r}), after {same} tokens'
    )


def _stream(family: Family, frames: list[Frame], ids: list[int]) -> mx.array:
    """Next-token logits of the stream: float [vocabulary]; `ids` are the whole prompt's."""
    layers = family.make_cache()
    rows = family.text_rows(family.text.prefix_ids, 0)
    family.hidden(rows, None, layers)
    count = len(rows)
    for frame in frames:
        every = np.unique(family.windows(frame.grid))
        features, _ = family.encode(frame, None, every)
        if not all(mx.isfinite(array).all().item() for array in features.arrays()):
            raise ModelError(_not_finite('the features of a frame', features.embeds.dtype))
        rows = family.frame_rows(frame.grid, rows.end)
        family.hidden(rows, features, layers)
        count += len(rows)
    rows = family.text_rows(ids[count:], rows.end)
    logits = family.logits(family.hidden(rows, None, layers)[0, -1:])[0]
    if not mx.isfinite(logits).all().item():
        raise ModelError(_not_finite('the logits', logits.dtype))
    return logits


def _not_finite(what: str, dtype: mx.Dtype) -> str:
    kind = str(dtype).removeprefix('mlx.core.')
    cure = 'set dtype to float32 or bfloat16' if kind == 'float16' else 'the weights are broken'
    return f'{what} are not finite numbers in {kind}: {cure}'


def _prefill(family: Family, inputs: dict[str, mx.array]) -> mx.array:
    """Next-token logits of mlx-vlm's own path: float [vocabulary]."""
    seen = ('input_ids', 'attention_mask', 'pixel_values')
    company = {k: v for k, v in inputs.items() if k not in seen}
    return family.model.language_model(
        inputs['input_ids'],
        cache=family.make_cache(),
        **company | embed(family.model, inputs),
    ).logits[0, -1]


def _generates_otherwise(family: Family) -> str:
    """How mlx-vlm's generation departs from its own prefill, for people; empty if it does not.

    A prompt goes into the language model as embeddings, a token that was generated as an id.
    """
    ids = mx.array([family.text.prefix_ids])
    prompt = _prefill(family, {'input_ids': ids})
    answer = family.model.language_model(ids, cache=family.make_cache()).logits[0, -1]
    difference = _difference_of(answer, prompt)
    if not difference > _tolerance(prompt):  # NaN: the stream says so, and in which type
        return ''
    return (
        'mlx-vlm embeds a token of an answer otherwise than the same token of a prompt: next-token '
        f'logits differ by {difference:.2g} of the largest, so no answer can be trusted; a newer '
        'release of mlx-vlm may have mended it'
    )


def _strays(family: Family, inputs: dict[str, mx.array]) -> str:
    """What is wrong with counting a model's rows, for people; empty where nothing is."""
    places = embed(family.model, inputs).get('position_ids') if family.counts_rows else None
    if places is None or (places == mx.arange(places.shape[-1])).all().item():
        return ''
    return (
        'its rows have positions of their own (M-RoPE), which only a family written for models of '
        'this type can give them'
    )


def _difference_of(ours: mx.array, theirs: mx.array) -> float:
    """Largest difference of logits, over the largest."""
    left, right = (np.array(logits.astype(mx.float32)) for logits in (ours, theirs))
    return float(np.abs(left - right).max() / max(np.abs(right).max(), 1e-9))


def _tolerance(logits: mx.array) -> float:
    fine = logits.dtype == mx.float32 and mx.default_device() == mx.Device(mx.cpu)
    return _TOLERANCE if fine else _ROUGH_TOLERANCE


def _compare(family: Family, count: int) -> SelfTest:
    stock, ids, wrong = _prompts(family, count)
    wrong = wrong or _strays(family, stock)
    if wrong:
        return SelfTest(False, float('inf'), wrong)
    streamed, cold = _stream(family, _frames(family, count), ids), _prefill(family, stock)
    difference = _difference_of(streamed, cold)
    first, expected = (int(mx.argmax(logits).item()) for logits in (streamed, cold))
    text = f'{count} frames streamed one by one: next-token logits differ from a cold prefill by '
    text += f'{difference:.2g} of the largest at most'
    if first != expected:
        text += f', and the answer begins with token {first} instead of {expected}'
    return SelfTest(difference <= _tolerance(streamed), difference, text)
