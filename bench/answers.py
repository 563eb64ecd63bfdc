# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a question costs on a live cache: against cold dense, against the floor, against mlx-vlm."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
from mlx_vlm import apc, stream_generate
from mlx_vlm.generate import PromptCacheState
from PIL import Image

from bench.frames import settle
from bench.scale import Scale, frames_of
from bench.timing import Row, alternate, ratio_row, seconds
from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.text import render
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.session import StreamSession

QUESTIONS = ('where is the red block?', 'how many blocks do you see?', 'is there a blue block?')


def rows(family: Family, scale: Scale) -> list[Row]:
    """Live question and follow-up."""
    return [*_live(family, scale), *_follow_up(family, scale)]


def _session(family: Family, scale: Scale, frames: list[Frame]) -> StreamSession:
    """A session that holds `scale.history` frames, the last one as a settled tail."""
    config = EngineConfig(
        keyframe_interval=0.0,
        keep_keyframes=scale.history,
        token_budget=1_000_000,
        max_tokens=1,
        audit_interval=0.0,
    )
    session = StreamSession(family, config)
    for frame in frames[: scale.history]:
        session.admit(frame)
    settle(session)
    return session


def _first_token(session: StreamSession, text: str) -> float:
    """Seconds from the question to its first token."""
    question = Question(text=text, max_tokens=1)
    asked: list[Asking] = []

    def work() -> None:
        asked.append(session.ask(question))
        next(asked[0], None)

    spent = seconds(work)
    asked[0].stop('measured')
    return spent


def _stock(family: Family, frames: list[Frame], text: str, **cache: Any) -> float:
    """Seconds to the first token of mlx-vlm's own generation, images to token."""
    prompt = render(family.processor, text, images=len(frames))
    images = [Image.fromarray(frame.pixels) for frame in frames]
    tokens = stream_generate(
        family.model, family.processor, prompt, images, max_tokens=1, temperature=0.0, **cache
    )
    spent = seconds(lambda: next(tokens))
    for _ in tokens:  # its caches are kept only when it is heard out
        pass
    return spent


def _live(family: Family, scale: Scale) -> list[Row]:
    frames = frames_of(scale, scale.history + 64)
    session = _session(family, scale, frames)
    coming = iter(frames[scale.history :])
    asked = iter(np.tile(QUESTIONS, 100))

    def live() -> float:
        session.admit(next(coming))  # a new frame since the last question; its price is another row
        settle(session)
        return _first_token(session, str(next(asked)))

    def dense() -> float:
        return _stock(family, session.stream.cache.ledger.frames[-scale.history :], QUESTIONS[0])

    # The floor: the question's rows and one decode step on a warm cache that is simply there.
    warm = family.make_cache()
    filler = np.resize(np.array([1, 2, 3], np.int32), session.stream.cache.ledger.rows)
    family.hidden(family.text_rows(filler.tolist(), 0), None, warm)
    mx.eval([layer.keys for layer in warm])
    ids = family.text.question_ids(QUESTIONS[0], ())

    def floor() -> float:
        base = warm[0].offset

        def work() -> None:
            hidden = family.hidden(family.text_rows(ids, base), None, warm)
            token = mx.argmax(family.logits(hidden[0, -1:])[-1]).item()
            hidden = family.hidden(family.text_rows([int(token)], base + len(ids)), None, warm)
            mx.eval(family.logits(hidden[0, -1:]))

        spent = seconds(work)
        for layer in warm:
            layer.trim(layer.offset - base)
        return spent

    rows = session.stream.cache.ledger.rows
    sizes = f'{scale.describe()}, {rows} rows, question of {len(ids)} tokens'
    return [
        ratio_row(
            'live question, first token: a new frame since the last one, settled tail',
            'cold dense: stock mlx-vlm on the same frames',
            alternate(live, dense, scale.rounds),
            at_least=80.0,
            sizes=sizes,
        ),
        ratio_row(
            'live question, first token',
            "the floor: the question's prefill and one decode step on a warm cache",
            alternate(live, floor, 3 * scale.rounds),
            at_most=1.2,
            sizes=sizes,
        ),
    ]


def _follow_up(family: Family, scale: Scale) -> list[Row]:
    frames = frames_of(scale, scale.history)
    session = _session(family, scale, frames)
    state, manager = PromptCacheState(), apc.APCManager(num_blocks=4096)
    asked = iter(np.tile(QUESTIONS, 100))
    _stock(family, frames, 'what do you see?', prompt_cache_state=state)

    def ours() -> float:
        return _first_token(session, str(next(asked)))

    sizes = scale.describe()
    return [
        ratio_row(
            'follow-up question on unchanged frames, first token',
            'stock mlx-vlm with PromptCacheState',
            alternate(
                ours,
                lambda: _stock(family, frames, str(next(asked)), prompt_cache_state=state),
                scale.rounds,
            ),
            at_most=1.0,
            sizes=sizes,
        ),
        ratio_row(
            'follow-up question on unchanged frames, first token',
            'stock mlx-vlm with APC',
            alternate(
                ours,
                lambda: _stock(family, frames, str(next(asked)), apc_manager=manager),
                scale.rounds,
            ),
            at_most=1.0,
            sizes=sizes,
        ),
    ]
