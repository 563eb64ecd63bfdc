# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Clips and many questions about each, packed behind one vision prefix into fixed shapes.

Numpy only; knows nothing about torch or the model beyond its prompt and block size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import (
    CELLS,
    CHANGE_FAMILIES,
    DIRECTIONS,
    STATE_FAMILIES,
    WEIGHTS,
    ClipQuestion,
    Scene,
    cell,
)
from vlmaxxing_ros.demo.tabletop_state import COLORS, State
from vlmaxxing_ros.training.tokens import CLOSING, IDS, OPENING, Words

BLOCK = 28
CLOSED_SHARE = 0.3
CHANGES = (*DIRECTIONS, 'still', 'appeared', 'disappeared', None)
FAMILIES = (*STATE_FAMILIES, *CHANGE_FAMILIES)


@dataclass(frozen=True)
class Film:
    """Frames (n, H, W, 3) uint8, oldest first, and what each shows."""

    frames: np.ndarray
    states: list[State]


@dataclass(frozen=True)
class Batch:
    """What the model takes, and what it should say.

    frames (B, n, H, W, 3) uint8; ids, segment, position, target (B, T) int64 with segment and
    target -1 where there is nothing; weight (B, T) float32; questions per clip, in segment order;
    labels as of `label`.
    """

    frames: np.ndarray
    ids: np.ndarray
    segment: np.ndarray
    position: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    questions: list[list[ClipQuestion]]
    labels: dict[str, np.ndarray]


def prefix(
    words: Words, frames: int, rows: int, cols: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """The prompt up to the question, for so many frames of so many blocks.

    Returns ids (P,), indices of the image blocks (frames * rows * cols,), M-RoPE positions (3, P),
    and the position of the first question token.
    """
    ids: list[int] = []
    places: list[np.ndarray] = []
    image_at: list[int] = []
    base = 0

    def text(tokens: tuple[int, ...]) -> None:
        nonlocal base
        ids.extend(tokens)
        places.append(np.tile(base + np.arange(len(tokens)), (3, 1)))
        base += len(tokens)

    text(words.encode(OPENING))
    row, col = np.divmod(np.arange(rows * cols), cols)
    for _ in range(frames):
        text((IDS['<|vision_start|>'],))
        image_at.extend(range(len(ids), len(ids) + rows * cols))
        ids.extend([IDS['<|image_pad|>']] * (rows * cols))
        places.append(base + np.stack([np.zeros_like(row), row, col]))
        base += max(rows, cols)
        text((IDS['<|vision_end|>'],))
    return np.array(ids), np.array(image_at), np.concatenate(places, 1), base


def draw_clip(seed: int, rng: np.random.Generator, frames: int, rows: int, cols: int) -> Film:
    """A window of a stream sampled at 1 to 4 frames per second."""
    step = float(np.exp(rng.uniform(np.log(0.25), np.log(1.0))))
    span = step * frames
    world = Tabletop(
        seed=seed,
        size=(rows * BLOCK, cols * BLOCK),
        duration=span if frames > 1 else 0.0,
        pause=span * float(rng.uniform(0.12, 0.8)),
    )
    stamps = [i * step for i in range(frames)]
    return Film(np.stack([world.render(t) for t in stamps]), [world.state(t) for t in stamps])


def draw_questions(
    rng: np.random.Generator, scene: Scene, words: Words, budget: int
) -> list[ClipQuestion]:
    """Different questions whose tokens fit the budget; dull answers about change are thinned."""
    families = FAMILIES if len(scene.states) > 1 else STATE_FAMILIES
    weight = np.array([WEIGHTS[f] for f in families])
    drawn: list[ClipQuestion] = []
    known: set[tuple[str, str, bool]] = set()
    for index in rng.choice(len(families), size=40, p=weight / weight.sum()):
        question = scene.draw(rng, families[index], closed=bool(rng.random() < CLOSED_SHARE))
        if question is None:
            continue
        if is_dull(question) and rng.random() < 0.5:
            continue
        key = (question.family, question.text, bool(question.choices))
        if key in known:
            continue
        known.add(key)
        length = sum(map(len, encode(words, question)))
        if length > budget:
            break
        budget -= length
        drawn.append(question)
    return drawn


def is_dull(question: ClipQuestion) -> bool:
    """Whether it asks about change and the answer is that there was none."""
    if question.family not in CHANGE_FAMILIES:
        return False
    words = set(question.answer.split()[1::2])
    return question.answer in ('none', 'no') or words == {'still'}


def encode(words: Words, question: ClipQuestion) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Prompt ids (question and the turn's closing) and answer ids (with its end)."""
    asked = words.encode(question.prompt) + words.encode(CLOSING)
    return asked, (*words.encode(question.answer), IDS['<|im_end|>'])


def pack(
    words: Words,
    clips: list[Film],
    questions: list[list[ClipQuestion]],
    length: int,
    base: int,
) -> Batch:
    """Lay the questions out behind their clips' prefix, `length` tokens per clip from `base`."""
    shape = (len(clips), length)
    ids = np.full(shape, IDS['<|endoftext|>'], np.int64)
    segment = np.full(shape, -1, np.int64)
    position = np.zeros(shape, np.int64)
    target = np.full(shape, -1, np.int64)
    weight = np.zeros(shape, np.float32)
    for row, asked in enumerate(questions):
        at = 0
        for index, question in enumerate(asked):
            prompt, answer = encode(words, question)
            # The last token is never an input: its place would predict nothing.
            tokens = (*prompt, *answer[:-1])
            end = at + len(tokens)
            ids[row, at:end] = tokens
            segment[row, at:end] = index
            position[row, at:end] = base + np.arange(len(tokens))
            target[row, at + len(prompt) - 1 : end] = answer
            weight[row, at + len(prompt) - 1 : end] = len(answer) ** -0.5
            at = end
    return Batch(
        np.stack([clip.frames for clip in clips]),
        ids,
        segment,
        position,
        target,
        weight,
        questions,
        label(clips),
    )


def label(clips: list[Film]) -> dict[str, np.ndarray]:
    """What each block and each frame shows, for the training probes; int64, -1 where unclear.

    Per block (B, n, blocks): `color`, the colour whose centre it holds (6: none); `cell`, the cell
    of that centre (-1 without one); `fingers`, 0 or 1 where the closed or open gripper is (2: not
    here). Per frame (B, n): `grip`, 0 closed or 1 open; per frame and colour (B, n, 6): `place`,
    its cell (9: absent), and `change` since the first frame, an index into CHANGES; per frame
    `mover`, the one colour that has moved since (6: none).
    """
    _, height, width, _ = clips[0].frames.shape
    rows, cols = height // BLOCK, width // BLOCK
    shape = (len(clips), len(clips[0].states))
    color = np.full((*shape, rows * cols), len(COLORS), np.int64)
    cells = np.full((*shape, rows * cols), -1, np.int64)
    fingers = np.full((*shape, rows * cols), 2, np.int64)
    grip = np.full(shape, -1, np.int64)
    place = np.full((*shape, len(COLORS)), len(CELLS), np.int64)
    change = np.full((*shape, len(COLORS)), -1, np.int64)
    mover = np.full(shape, -1, np.int64)

    def block(x: float, y: float) -> int:
        row = min(rows - 1, max(0, int(y * rows)))
        return row * cols + min(cols - 1, max(0, int(x * cols)))

    for b, clip in enumerate(clips):
        for f, state in enumerate(clip.states):
            scene = Scene((clip.states[0], state))
            grasp = scene.answer('gripper')
            if grasp is not None:
                grip[b, f] = int(grasp == 'open')
                fingers[b, f, block(*state.gripper)] = grip[b, f]
            moved = scene.answer('mover')
            if moved is not None:
                mover[b, f] = [*COLORS, 'none'].index(moved)
            for c, name in enumerate(COLORS):
                if name in state.blocks:
                    x, y = state.blocks[name]
                    color[b, f, block(x, y)] = c
                    place[b, f, c] = cells[b, f, block(x, y)] = CELLS.index(cell(x, y))
                change[b, f, c] = CHANGES.index(scene.motion_of(name))
    return {
        'color': color,
        'cell': cells,
        'fingers': fingers,
        'grip': grip,
        'place': place,
        'mover': mover,
        'change': np.where(change == CHANGES.index(None), -1, change),
    }


GRIDS = ((4, 4), (3, 4), (4, 5), (5, 4), (6, 6), (6, 8))
GRID_SHARES = (0.62, 0.06, 0.05, 0.05, 0.05, 0.17)


def draw_shape(rng: np.random.Generator, progress: float) -> tuple[int, int, int, int]:
    """Clips, frames, rows and columns of a training batch: single frames first, then mostly 8."""
    early = progress < 0.05
    counts = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16]
    share = (
        [0.7, 0.1, 0.1, 0.1, 0, 0, 0, 0, 0, 0, 0]
        if early
        else [0.13, 0.08, 0.06, 0.08, 0.04, 0.06, 0.04, 0.43, 0.03, 0.03, 0.02]
    )
    frames = int(rng.choice(counts, p=share))
    rows, cols = GRIDS[int(rng.choice(len(GRIDS), p=GRID_SHARES))]
    if rows * cols * frames > 400:
        rows, cols = 4, 4
    clips = int(np.clip(2048 // (frames * rows * cols), 4, 48))
    return clips, frames, rows, cols


def draw_batch(words: Words, seed: int, index: int, progress: float) -> Batch:
    """Training batch `index`; depends on nothing but its arguments."""
    rng = np.random.default_rng((seed, index))
    count, frames, rows, cols = draw_shape(rng, progress)
    first = int(rng.integers(0, 2**40))
    clips = [draw_clip(first + i, rng, frames, rows, cols) for i in range(count)]
    length = 208 if frames > 1 else 128
    questions = [draw_questions(rng, Scene(clip.states), words, length) for clip in clips]
    return pack(words, clips, questions, length, prefix(words, frames, rows, cols)[3])
