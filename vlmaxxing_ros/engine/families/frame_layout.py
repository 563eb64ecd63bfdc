# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How a model's own processor lays frames out in a prompt, read off the ids that it writes.

Two images and a question are laid out; what repeats is a frame.  White space behind a control
token belongs to what follows it, since line ends in a row become one token: what opens the first
frame and what opens a later one may differ.  Knows ids; knows nothing of pixels or models.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
from mlx_vlm.utils import prepare_inputs
from PIL import Image

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families.prompts import LABEL, MARK
from vlmaxxing_ros.engine.families.text import ChatText


@dataclass(frozen=True)
class FrameLayout:
    """Where two images stand in a prompt.

    Attributes:
        prefix: ids before the first frame.
        first: ids that open the first frame.
        later: ids that open any other.
        shown: ids from the first that shows something to the last, and what closes the frame.
        rest: ids behind the last frame.
        before: the text that stands behind the last frame, up to the question.
    """

    prefix: list[int]
    first: list[int]
    later: list[int]
    shown: list[int]
    rest: list[int]
    before: str


def lay_out(processor: Any, text: ChatText, image_id: int, width: int, height: int) -> FrameLayout:
    """Lay out two blank images of this many pixels.

    Raises:
        ModelError: the processor does not write images one after the other.
    """
    image = Image.new('RGB', (width, height))
    ids = prompt_ids(processor, text, image_id, [image, image])
    places = [place for place, id_ in enumerate(ids) if id_ == image_id]
    half = len(places) // 2
    if not half or len(places) % 2:
        raise ModelError(f'two equal images are shown in {len(places)} rows: not one by one')
    begin, end = places[0], places[half - 1] + 1
    next_begin, last = places[half], places[-1] + 1
    gap, rest = ids[end:next_begin], ids[last:]
    closing = _closing(processor, gap, rest)
    later = gap[len(closing) :]
    first = _common(later[::-1], ids[:begin][::-1])[::-1]
    if begin == len(first):
        raise ModelError('the prompt begins with an image: a stream has nothing to begin with')
    shown = ids[begin:end] + closing
    if ids[next_begin:last] + closing != shown:
        raise ModelError('two equal images are not shown alike: is the model one that tells them?')
    told = _decode(processor, ids[: last + len(closing)]), _decode(processor, ids)
    before, marked, _ = told[1][len(told[0]) :].partition(MARK)
    if not (told[1].startswith(told[0]) and marked):
        raise ModelError('the processor shows no question behind the images')
    return FrameLayout(
        prefix=ids[: begin - len(first)],
        first=first,
        later=later,
        shown=shown,
        rest=rest[len(closing) :],
        before=before,
    )


def label_opening(
    processor: Any,
    text: ChatText,
    image_id: int,
    layout: FrameLayout,
    image: Image.Image,
    label: str,
) -> list[int] | None:
    """Ids from the end of one frame to the first row of the next, with a label between the two.

    Args:
        layout: of frames of this size.
        image: a blank one.
        label: the text.

    Returns:
        None: the prompt does not show two frames and the text between them, everything else as it
        is without.
    """
    prompt = text.prompts.labelled.replace(LABEL, label)
    if not prompt:
        return None
    ids = prompt_ids(processor, text, image_id, [image, image], prompt)
    before = [*layout.prefix, *layout.first, *layout.shown]
    after = [*layout.shown, *layout.rest]
    opening = ids[len(before) : len(ids) - len(after)]
    told = label in _decode(processor, opening)
    return opening if told and [*before, *opening, *after] == ids else None


def prompt_ids(
    processor: Any, text: ChatText, image_id: int, images: list[Image.Image], prompt: str = ''
) -> list[int]:
    """The ids of a prompt with these images, one to three, and `MARK` for a question.

    `prompt` is another text that shows as many.
    """
    inputs = prepare_inputs(
        processor,
        images=images,
        prompts=prompt or text.prompts.shown[len(images) - 1],
        image_token_index=image_id,
    )
    return text.one_bos(np.array(inputs['input_ids'])[0].tolist())


def _closing(processor: Any, gap: list[int], rest: list[int]) -> list[int]:
    """The control tokens that follow an image, whatever follows them."""
    tokenizer = getattr(processor, 'tokenizer', processor)
    control = set(tokenizer.added_tokens_decoder)
    return list(takewhile(control.__contains__, _common(gap, rest)))


def _common(left: list[int], right: list[int]) -> list[int]:
    """What both begin with."""
    return [
        a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
    ]


def _decode(processor: Any, ids: list[int]) -> str:
    tokenizer = getattr(processor, 'tokenizer', processor)
    options = {'skip_special_tokens': False, 'clean_up_tokenization_spaces': False}
    return str(tokenizer.decode(ids, **options))
