# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Does streaming mean to a model what one cold prompt means?  Two frames and a question tell.

The reference is mlx-vlm's own path, processor included: one prompt with both images, prefilled
as one chunk.  The stream appends the same frames one by one.  Knows no family's inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from mlx_vlm.utils import prepare_inputs
from PIL import Image

from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.families.generic import embed, image_token_id
from vlmaxxing_ros.engine.families.text import render
from vlmaxxing_ros.engine.seeing.frame import Frame

# Chunks of other shapes round differently, most where the type is narrow or a GPU multiplies
# float32 in TF32; a wrong position or mask is off by far more.
_TOLERANCE = 1e-3
_ROUGH_TOLERANCE = 0.05
_QUESTION = 'What do you see?'


@dataclass(frozen=True)
class SelfTest:
    """What the test found.

    Attributes:
        ok: the stream's logits are those of the cold prompt.
        difference: largest difference of the logits over the largest logit; inf where the two
            cannot be compared.
        text: for people.
    """

    ok: bool
    difference: float
    text: str


def self_test(family: Family) -> SelfTest:
    """Stream two frames of noise and a question, and compare with the stock cold prefill."""
    grid = family.grid(96, 128, 16384)
    random = np.random.default_rng(0)
    shape = (grid.height, grid.width, 3)
    frames = [
        Frame(random.integers(0, 256, shape, np.uint8), grid, stamp, 'self_test')
        for stamp in (1, 2)
    ]
    question = family.text.question_ids(_QUESTION, ())
    every = np.unique(family.windows(grid))

    layers = family.make_cache()
    chunks = [family.text_rows(family.text.prefix_ids, 0)]
    family.hidden(chunks[0], None, layers)
    for frame in frames:
        features, _ = family.encode(frame, None, every)
        chunks.append(family.frame_rows(grid, chunks[-1].end))
        family.hidden(chunks[-1], features, layers)
    chunks.append(family.text_rows(question, chunks[-1].end))
    streamed = family.logits(family.hidden(chunks[-1], None, layers)[0, -1:])[0]
    ids = np.concatenate([rows.ids for rows in chunks])

    shows = image_token_id(family.model.config)
    inputs = prepare_inputs(
        family.processor,
        images=[Image.fromarray(frame.pixels) for frame in frames],
        prompts=render(family.processor, _QUESTION, images=2),
        image_token_index=shows,
    )
    stock_ids = np.array(inputs['input_ids'])[0]
    ours, stock = (_media_text(family, part, shows) for part in (ids, stock_ids))
    if ours != stock:
        pairs = enumerate(zip(ours, stock, strict=False))
        same = next((i for i, (a, b) in pairs if a != b), min(len(ours), len(stock)))
        return SelfTest(
            False,
            float('inf'),
            'the processor writes two images other than one after the other: '
            f'{stock[same : same + 20]!r}, not {ours[same : same + 20]!r}, after {same} characters',
        )
    # The same text, which we tokenise piece by piece: masks are made to fit our tokens.
    inputs['input_ids'] = mx.array(ids)[None]
    for key in ('attention_mask', 'mm_token_type_ids', 'token_type_ids'):
        if inputs.get(key) is not None:
            mask = np.array(inputs[key])[0]
            visual, text = mask[stock_ids == shows][0], mask[stock_ids != shows][0]
            inputs[key] = mx.array(np.where(ids == shows, visual, text))[None]
    company = {k: v for k, v in inputs.items() if k not in ('input_ids', 'attention_mask')}
    cold = family.model.language_model(
        inputs['input_ids'],
        cache=family.make_cache(),
        **company | embed(family.model, inputs),
    ).logits[0, -1]
    return _compare(streamed, cold)


def _media_text(family: Family, ids: np.ndarray, shows: int) -> str:
    """A prompt's text up to the last row that shows a block."""
    last = int(np.flatnonzero(ids == shows)[-1])
    tokenizer = getattr(family.processor, 'tokenizer', family.processor)
    return str(tokenizer.decode(ids[: last + 1].tolist(), skip_special_tokens=False))


def _compare(streamed: mx.array, cold: mx.array) -> SelfTest:
    ours, stock = (np.array(logits.astype(mx.float32)) for logits in (streamed, cold))
    difference = float(np.abs(ours - stock).max() / max(np.abs(stock).max(), 1e-9))
    fine = streamed.dtype == mx.float32 and mx.default_device() == mx.Device(mx.cpu)
    ok = difference <= (_TOLERANCE if fine else _ROUGH_TOLERANCE)
    text = 'two frames streamed one by one: next-token logits differ from a cold prefill by '
    text += f'{difference:.2g} of the largest at most'
    if ours.argmax() != stock.argmax():
        text += f', and the answer begins with token {ours.argmax()} instead of {stock.argmax()}'
    return SelfTest(ok, difference, text)
