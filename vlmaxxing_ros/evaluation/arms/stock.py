# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""mlx-vlm's own generation with its own caches, on the frames of the session's window.

`stock_prompt_cache` carries one PromptCacheState from question to question, `stock_apc` one
APCManager.  Closed questions are answered in free text and matched to the choices afterwards:
the stock path does not score choices.
"""

from __future__ import annotations

import io
import time
from typing import Any

import cv2
from mlx_vlm.apc import APCManager
from mlx_vlm.generate import PromptCacheState, stream_generate
from mlx_vlm.utils import load_image

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.families.text import render
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.evaluation.arms.base import Reply, WindowArm, Windows
from vlmaxxing_ros.evaluation.text import match_choice


class Stock(WindowArm):
    """`mlx_vlm.stream_generate`, greedy."""

    def __init__(
        self, family: Family, config: EngineConfig, windows: Windows, *, apc: bool
    ) -> None:
        super().__init__(family, config, windows)
        self._reuse: dict[str, Any] = (
            {'apc_manager': APCManager()} if apc else {'prompt_cache_state': PromptCacheState()}
        )

    def ask(self, name: str, question: Question) -> Reply:
        """Generate an answer from images and a prompt."""
        frames = self.window(name)
        images, prompt = [_image(f) for f in frames], self._prompt(frames, question)
        limit = question.max_tokens or self.config.max_tokens
        start = time.perf_counter()
        ttft, last = 0.0, None
        for result in stream_generate(
            self.family.model,
            self.family.processor,
            prompt,
            image=images,
            max_tokens=limit,
            temperature=0.0,
            **self._reuse,
        ):
            ttft, last = ttft or time.perf_counter() - start, result
        latency = time.perf_counter() - start
        assert last is not None
        ends = self.family.text.end_ids
        ids = tuple(token for token in last.token_ids or () if token not in ends)
        answer = self.family.text.decode(list(ids))
        index = match_choice(answer, question.choices)
        return Reply(
            answer=question.choices[index] if index >= 0 else answer,
            finish_reason=last.finish_reason or 'stop',
            window=tuple(frame.stamp for frame in frames),
            choice_index=index,
            token_ids=() if question.choices else ids,
            ttft=ttft,
            latency=latency,
            exact=last.cached_tokens == 0,
            parsed=not question.choices or index >= 0,
        )

    def _prompt(self, frames: list[Frame], question: Question) -> str:
        """The chat template around the frames and the question, as the engine puts it."""
        text = question.text
        if question.choices:
            text += '\nOptions: ' + ', '.join(question.choices)
        captions = [self.family.caption(frame) for frame in frames]
        kind = self.family.model.config.model_type
        return render(self.family.processor, text, captions=captions, model_type=kind)


def _image(frame: Frame) -> Any:
    """The frame as mlx-vlm's processors take it: a PIL image."""
    _, data = cv2.imencode('.bmp', cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2BGR))
    return load_image(io.BytesIO(data.tobytes()))
