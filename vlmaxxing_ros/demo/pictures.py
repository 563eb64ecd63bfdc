# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""`make pictures`: the moving picture that the README opens with.

The tabletop streams through a real session with the nano model; every frame is drawn with what was
paid for, and under it stand the questions that were asked on the way with the answers that came.
Every frame is paid for at once, as nobody waits.  Knows nothing of ROS: it drives the engine.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import Scene
from vlmaxxing_ros.engine import EngineConfig, Question, StreamSession, load_family
from vlmaxxing_ros.engine.seeing.overlay import draw_overlay
from vlmaxxing_ros.palette import INK, PAID, PAPER, REUSED, SOFT

FPS = 6.0
SECONDS = 10.0
SEED = 5
QUESTIONS = (
    (1.0, 'Where is the {color} block?', 'where'),
    (4.0, 'What colors are the blocks?', 'colors'),
    (7.0, 'How many blocks are there?', 'count'),
)
"""When (s), what, and the family of questions that knows the truth."""

_SHOWN = 2.4  # seconds for which an answer stands under the picture
_WIDTH, _CAPTION = 448, 54  # pixels: of each of the two pictures, of the words' strip
_COLOURS, _NOISE = 200, 9  # of the GIF's palette; grey levels


def film(seconds: float = SECONDS) -> tuple[list[np.ndarray], list[tuple[str, str, str]]]:
    """Stream the tabletop through a session.

    Args:
        seconds: how much of it.

    Returns:
        The drawn frames, uint8 [height, width, 3] RGB, all of one size; and question, answer and
        truth of everything that was asked.
    """
    world = Tabletop(seed=SEED, size=(168, 224), duration=seconds, pause=0.9)
    session = StreamSession(load_family('nano'), EngineConfig())
    frames, asked = [], []
    waiting = [(at, text, kind) for at, text, kind in QUESTIONS if at < seconds]
    until, caption = 0.0, ('', '', '')
    for shot in world.stream(FPS):
        budget = session.admit(session.frame(shot.image, stamp=1 + round(shot.stamp * 1e9)))
        if waiting and shot.stamp >= waiting[0][0]:
            _, text, kind = waiting.pop(0)
            caption = _ask(session, world, shot.stamp, text, kind)
            asked.append(caption)
            until = shot.stamp + _SHOWN
        assert budget.plan is not None
        paid = draw_overlay(budget.plan, [])
        cost = f'{shot.stamp:4.1f} s   {budget.tokens_added} rows computed for this frame, '
        cost += f'{budget.tokens_cached} in the cache'
        said = caption if shot.stamp < until else ('', '', '')
        frames.append(_framed(budget.plan.look.frame.pixels, paid, said, cost))
    return frames, asked


def _ask(
    session: StreamSession, world: Tabletop, stamp: float, text: str, kind: str
) -> tuple[str, str, str]:
    """Question, answer and truth."""
    state = world.state(stamp)
    color = next(iter(state.blocks))
    question = text.format(color=color)
    truth = Scene([state]).answer(kind, color if kind == 'where' else '')
    asking = session.ask(Question(text=question))
    for _ in asking:
        pass
    assert asking.answer is not None
    return question, asking.answer.answer, truth or 'not clear'


def _framed(
    seen: np.ndarray, paid: np.ndarray, caption: tuple[str, str, str], cost: str
) -> np.ndarray:
    """The camera's picture beside what was paid for, question and answer under both."""
    question, answer, truth = caption
    height = _WIDTH * seen.shape[0] // seen.shape[1]
    left = cv2.resize(seen, (_WIDTH, height), interpolation=cv2.INTER_LINEAR)
    below = _WIDTH * paid.shape[0] // paid.shape[1]
    right = cv2.resize(paid, (_WIDTH, below), interpolation=cv2.INTER_AREA)[:height]
    strip = np.full((_CAPTION, 2 * _WIDTH, 3), PAPER, np.uint8)
    if question:
        mark = '' if answer == truth else f'   (truth: {truth})'
        _write(strip, question, 12, 22, 0.6, SOFT)
        _write(strip, f'{answer}{mark}', 12, 45, 0.7, INK)
    _write(strip, cost, _WIDTH + 12, 22, 0.42, SOFT)
    cv2.rectangle(strip, (_WIDTH + 12, 33), (_WIDTH + 24, 45), PAID, -1)
    _write(strip, 'paid for now', _WIDTH + 30, 45, 0.45, INK)
    cv2.rectangle(strip, (_WIDTH + 152, 33), (_WIDTH + 164, 45), REUSED, -1)
    _write(strip, 'changed a little, reused', _WIDTH + 170, 45, 0.45, INK)
    return np.concatenate([np.concatenate([left, right], axis=1), strip])


def _write(
    picture: np.ndarray, text: str, x: int, y: int, size: float, colour: tuple[int, int, int]
) -> None:
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


def save(path: Path, frames: list[np.ndarray], *, fps: float = FPS) -> None:
    """Write frames (uint8 [height, width, 3], RGB) as a GIF that loops.

    The camera's noise would be most of the file: a pixel that differs by less than `_NOISE` from
    the one shown before it stands still.
    """
    shown = [frames[0]]
    for frame in frames[1:]:
        moved = cv2.absdiff(frame, shown[-1]).max(axis=2, keepdims=True) >= _NOISE
        shown.append(np.where(moved, frame, shown[-1]))
    # One palette for all frames, without dither: what stands still then costs nothing.
    some = shown[:: max(1, len(shown) // 12)]
    swatches = [np.full_like(frames[0][:_CAPTION], colour) for colour in (PAID, REUSED)]
    palette = Image.fromarray(np.concatenate([*some, *swatches])).quantize(_COLOURS)
    images = [Image.fromarray(f).quantize(palette=palette, dither=Image.Dither.NONE) for f in shown]
    path.parent.mkdir(parents=True, exist_ok=True)
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=round(1000 / fps), loop=0
    )


def main() -> int:
    """Film and write; the exit status is 1 where an answer is not the truth."""
    parser = argparse.ArgumentParser(prog='python -m vlmaxxing_ros.demo.pictures')
    parser.add_argument('--out', type=Path, default=Path('docs/figures/looking.gif'))
    parser.add_argument('--seconds', type=float, default=SECONDS)
    options = parser.parse_args()
    frames, asked = film(options.seconds)
    save(options.out, frames)
    for question, answer, truth in asked:
        print(f'{question}  {answer}' + ('' if answer == truth else f'  (truth: {truth})'))
    print(f'{options.out}: {len(frames)} frames, {options.out.stat().st_size / 1e6:.2f} MB')
    return 0 if all(answer == truth for _, answer, truth in asked) else 1


if __name__ == '__main__':
    sys.exit(main())
