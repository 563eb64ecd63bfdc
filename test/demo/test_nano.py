# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The shipped model: an ordinary mlx-vlm folder that answers, and that notices staleness."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from mlx_vlm import load
from mlx_vlm.models.cache import make_prompt_cache
from PIL import Image

import vlmaxxing_ros.demo
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import CURRENT_STATE, PHRASES, Scene
from vlmaxxing_ros.training import packing
from vlmaxxing_ros.training.tokens import CLOSING, IDS, load_words, train_tokenizer

NANO = Path(vlmaxxing_ros.demo.__file__).parent / 'nano'
HELD_OUT = 2**52

Say = Callable[[str], str]
Look = Callable[[np.ndarray], Say]


@pytest.fixture(scope='module')
def look() -> Look:
    """Show frames to the shipped model in float32, through mlx-vlm's own code; then ask it."""
    model, processor = load(str(NANO))
    model.set_dtype(mx.float32)
    language = model.language_model
    words = load_words(NANO)

    def shown(frames: np.ndarray) -> Say:
        rows, cols = frames.shape[1] // 28, frames.shape[2] // 28
        pixels = processor.image_processor(images=[Image.fromarray(f) for f in frames])
        start, _, _, base = packing.prefix(words, len(frames), rows, cols)
        ids = mx.array(start[None])
        made = model.get_input_embeddings(
            ids,
            mx.array(pixels['pixel_values']),
            image_grid_thw=mx.array(pixels['image_grid_thw']),
        )
        cache = make_prompt_cache(language)
        language(ids, inputs_embeds=made.inputs_embeds, position_ids=made.position_ids, cache=cache)

        def say(prompt: str) -> str:
            new = [*words.encode(prompt), *words.encode(CLOSING)]
            said: list[int] = []
            place = base
            while len(said) < 30:
                steps = mx.broadcast_to(mx.arange(place, place + len(new)), (3, 1, len(new)))
                logits = language(mx.array([new]), position_ids=steps, cache=cache).logits
                place += len(new)
                token = int(logits[0, -1].argmax())
                if token == IDS['<|im_end|>']:
                    break
                said.append(token)
                new = [token]
            for layer in cache:
                layer.trim(place - base)
            return words.decode(said)

        return say

    return shown


def test_the_folder_is_complete_and_small() -> None:
    names = {path.name for path in NANO.iterdir()}
    assert names >= {
        'config.json',
        'model.safetensors',
        'tokenizer.json',
        'tokenizer_config.json',
        'chat_template.jinja',
        'preprocessor_config.json',
        'video_preprocessor_config.json',
        'generation_config.json',
        'MODEL_CARD.md',
        'report.json',
    }
    assert (NANO / 'model.safetensors').stat().st_size <= 8_000_000


def test_the_weights_are_half_precision() -> None:
    weights = mx.load(str(NANO / 'model.safetensors'))
    assert {w.dtype for w in weights.values()} == {mx.float16}
    assert all(bool(mx.isfinite(w).all()) for w in weights.values())


def test_the_tokenizer_is_the_recipe_s() -> None:
    words = load_words(NANO)
    ours = train_tokenizer()
    for phrase in (p.format('red') for phrases in PHRASES.values() for p in phrases):
        assert words.encode(phrase) == tuple(ours.encode(phrase).ids)
        assert words.decode(list(words.encode(phrase))) == phrase
    anything = 'Füße <b> 12345 \n🤖'
    assert words.decode(list(words.encode(anything))) == anything
    assert max(words.encode(anything)) < 512


def test_the_report_meets_what_was_asked_of_it() -> None:
    report = json.loads((NANO / 'report.json').read_text())
    assert report['summary']['current_state_8_frames'] >= 0.95
    assert report['summary']['current_state_1_frame'] >= 0.97
    for family in ('direction', 'mover', 'event'):
        assert report['frames_8'][family]['accuracy'] >= 0.75
        assert report['frames_8'][family]['questions'] >= 500
    assert report['stale']['stale'] < 0.1 < 0.9 < report['stale']['fresh']


@pytest.mark.parametrize('frames', [1, 8])
def test_it_answers_about_the_present(look: Look, frames: int) -> None:
    marks = []
    rng = np.random.default_rng(7)
    for seed in range(6):
        world = Tabletop(seed=HELD_OUT + seed, duration=8, pause=2.0)
        stamps = np.arange(8 - frames, 8) * 0.5
        scene = Scene([world.state(t) for t in stamps])
        say = look(np.stack([world.render(t) for t in stamps]))
        for family in CURRENT_STATE:
            question = scene.draw(rng, family, closed=seed % 3 == 0)
            if question is not None:
                marks.append(say(question.prompt) == question.answer)
    assert len(marks) >= 24
    assert np.mean(marks) >= 0.9


def test_it_tells_which_block_moved_where(look: Look) -> None:
    marks = []
    for seed in range(40):
        world = Tabletop(seed=HELD_OUT + 100 + seed, duration=4, pause=2.0)
        stamps = np.arange(6) * 0.6
        scene = Scene([world.state(t) for t in stamps])
        mover = scene.answer('mover')
        direction = scene.answer('direction', mover) if mover in scene.shift else None
        if mover is not None and direction is not None and len(marks) < 14:
            say = look(np.stack([world.render(t) for t in stamps]))
            text = PHRASES['direction'][0].format(mover)
            marks += [say(PHRASES['mover'][0]) == mover, say(text) == direction]
    assert len(marks) >= 12
    assert np.mean(marks) >= 0.8


def test_stale_frames_give_stale_answers(look: Look) -> None:
    fresh, stale, old = [], [], []
    for seed in range(14):
        world = Tabletop(seed=HELD_OUT + 200 + seed, duration=4, pause=1.0)
        stamps = np.arange(4) * 1.0
        shown = np.stack([world.render(t) for t in stamps])
        now, then = Scene([world.state(3.0)]), Scene([world.state(1.0)])
        changed = [
            (PHRASES[family][0], truth, past)
            for family in ('gripper', 'count', 'colors')
            if (truth := now.answer(family)) != (past := then.answer(family))
            and truth is not None
            and past is not None
        ]
        if changed:
            say, say_frozen = look(shown), look(np.concatenate([shown[:2], shown[1:2], shown[1:2]]))
            for text, truth, past in changed:
                fresh.append(say(text) == truth)
                stale.append(say_frozen(text) == truth)
                old.append(say_frozen(text) == past)
    assert len(fresh) >= 8
    assert np.mean(fresh) >= 0.9
    assert np.mean(stale) <= 0.1
    assert np.mean(old) >= 0.9
