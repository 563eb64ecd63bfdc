# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The torch twin is the model that mlx-vlm runs. Skipped where the training extras are missing."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from mlx_vlm import load
from PIL import Image

from vlmaxxing_ros.demo.tabletop_questions import Scene
from vlmaxxing_ros.training import packing
from vlmaxxing_ros.training.tokens import Words, train_tokenizer

torch = pytest.importorskip('torch')


@pytest.mark.parametrize(
    ('frames', 'rows', 'cols'), [(3, 4, 4), (2, 4, 5), (2, 5, 4), (1, 6, 8), (4, 3, 4)]
)
def test_packed_logits_equal_mlx_vlm_s(tmp_path: Path, frames: int, rows: int, cols: int) -> None:
    from vlmaxxing_ros.training.folder import write_folder
    from vlmaxxing_ros.training.held_out import load_nano, tensors

    torch.manual_seed(0)
    tokenizer = train_tokenizer()
    words = Words(tokenizer)
    from vlmaxxing_ros.training.model import Nano

    made = {k: v + 0.05 * torch.randn_like(v) for k, v in Nano().state_dict().items()}
    write_folder(tmp_path, made, tokenizer)
    rng = np.random.default_rng(0)
    clip = packing.draw_clip(1, rng, frames, rows, cols)
    questions = packing.draw_questions(rng, Scene(clip.states), words, 120)
    start, _, places, base = packing.prefix(words, frames, rows, cols)
    batch = packing.pack(words, [clip], [questions], 120, base)
    twin = load_nano(tmp_path)
    with torch.no_grad():
        ours = twin.logits(twin(**tensors(batch, words, 'cpu')).questions)[0].numpy()

    model, processor = load(str(tmp_path))
    model.set_dtype(mx.float32)
    pixels = processor.image_processor(images=[Image.fromarray(f) for f in clip.frames])
    for index in range(len(questions)):
        own = batch.segment[0] == index
        ids = mx.array([[*start.tolist(), *batch.ids[0, own].tolist()]])
        made_of = model.get_input_embeddings(
            ids,
            mx.array(pixels['pixel_values']),
            image_grid_thw=mx.array(pixels['image_grid_thw']),
        )
        assert np.array_equal(np.array(made_of.position_ids)[:, 0, : len(start)], places)
        theirs = model.language_model(
            ids, inputs_embeds=made_of.inputs_embeds, position_ids=made_of.position_ids
        ).logits
        assert np.abs(np.array(theirs)[0, len(start) :] - ours[own]).max() < 1e-4
