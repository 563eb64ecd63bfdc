# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How well a nano model answers on clips it has never seen, and the model card.

`python -m vlmaxxing_ros.training.held_out --model FOLDER` measures the folder's float16 weights in
float32 through the torch twin (test/demo checks that it agrees with mlx-vlm). An answer counts
only if greedy decoding would give exactly the true text and stop: every token is the most likely
one after the true ones before it. Seeds start at 2^50; training stays below 2^41.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vlmaxxing_ros.demo.tabletop_questions import (
    ANSWERS,
    CHANGE_FAMILIES,
    CURRENT_STATE,
    PHRASES,
    STATE_FAMILIES,
    ClipQuestion,
    Scene,
)
from vlmaxxing_ros.training import packing
from vlmaxxing_ros.training.card import model_card
from vlmaxxing_ros.training.model import Hidden, Nano
from vlmaxxing_ros.training.packing import Batch, Film
from vlmaxxing_ros.training.tokens import Words, load_words
from vlmaxxing_ros.training.vision import BLOCK
from vlmaxxing_ros.training.weights import export_weights, import_weights

FIRST_SEED = 2**50
CLIPS = 16
GRIDS = ((3, 4), (4, 5), (5, 4), (6, 6), (6, 8))


def tensors(batch: Batch, words: Words, device: str) -> dict[str, Tensor]:
    """The model's arguments for a batch."""
    _, frames, height, width, _ = batch.frames.shape
    ids, image_at, position, _ = packing.prefix(words, frames, height // BLOCK, width // BLOCK)
    arrays = {
        'frames': batch.frames,
        'prefix_ids': ids,
        'image_at': image_at,
        'prefix_position': position,
        'ids': batch.ids,
        'segment': batch.segment,
        'position': batch.position,
    }
    return {name: torch.as_tensor(array, device=device) for name, array in arrays.items()}


def run(model: Nano, batch: Batch, words: Words, device: str) -> tuple[Tensor, np.ndarray, Hidden]:
    """Weighted cross-entropy over the answers' tokens, whether each was right, and the pass."""
    seen = model(**tensors(batch, words, device))
    target = torch.as_tensor(batch.target, device=device)
    weight = torch.as_tensor(batch.weight, device=device)
    wanted = target >= 0
    logits = model.logits(seen.questions[wanted]).float()
    losses = torch.nn.functional.cross_entropy(logits, target[wanted], reduction='none')
    weight = weight[wanted]
    right = np.ones(batch.target.shape, bool)
    right[batch.target >= 0] = (logits.argmax(-1) == target[wanted]).cpu().numpy()
    return (losses * weight).sum() / weight.sum(), right, seen


def score(batch: Batch, right: np.ndarray) -> list[tuple[str, bool, bool]]:
    """Family, closed-set or not, and whether the whole answer was right, per question."""
    results = []
    for row, asked in enumerate(batch.questions):
        for index, question in enumerate(asked):
            whole = bool(right[row, batch.segment[row] == index].all())
            results.append((question.family, bool(question.choices), whole))
    return results


def tokens(words: Words, questions: list[list[ClipQuestion]]) -> int:
    """The length that packs these questions."""
    return max(sum(sum(map(len, packing.encode(words, q))) for q in asked) for asked in questions)


def load_nano(folder: Path, device: str = 'cpu') -> Nano:
    """The twin with the weights of an mlx-vlm folder, in float32."""
    from safetensors.torch import load_file

    model = Nano()
    model.load_state_dict(import_weights(load_file(folder / 'model.safetensors')))
    return model.to(device).eval()


def draw_one_each(
    rng: np.random.Generator, scene: Scene, wanted: list[str], *, closed: bool
) -> list[ClipQuestion]:
    """One question of each family where the scene has one; dull answers about change thinned."""
    drawn = []
    for family in wanted:
        if family == 'describe' and not scene.clear:
            continue
        question = scene.draw(rng, family, closed=closed)
        if question is None or (packing.is_dull(question) and rng.random() < 0.5):
            continue
        drawn.append(question)
    return drawn


def measure(
    model: Nano,
    words: Words,
    *,
    seed: int,
    frames: int,
    grid: tuple[int, int] = (4, 4),
    quota: int,
    closed: bool = False,
    device: str = 'cpu',
) -> dict[str, dict[str, float]]:
    """Accuracy, chance level and number of questions per family, on dense frames.

    Chance is the share of the commonest answer, or for closed sets the mean of 1 / choices.
    At most 3,000 clips are drawn, so a rare family may fall short of the quota.
    """
    families: tuple[str, ...] = (
        STATE_FAMILIES if frames == 1 else (*STATE_FAMILIES, *CHANGE_FAMILIES)
    )
    if closed:
        families = tuple(f for f in families if f in ANSWERS)
    right: dict[str, list[bool]] = defaultdict(list)
    asked: dict[str, list[ClipQuestion]] = defaultdict(list)
    base = packing.prefix(words, frames, *grid)[3]
    for first in range(0, 3000, CLIPS):
        wanted = [f for f in families if len(right[f]) < quota]
        if not wanted:
            break
        rng = np.random.default_rng((FIRST_SEED + seed, first))
        clips = [
            packing.draw_clip(FIRST_SEED + seed * 10_000 + first + i, rng, frames, *grid)
            for i in range(CLIPS)
        ]
        questions = [draw_one_each(rng, Scene(c.states), wanted, closed=closed) for c in clips]
        batch = packing.pack(words, clips, questions, tokens(words, questions), base)
        with torch.no_grad():
            _, correct, _ = run(model, batch, words, device)
        marks = iter(score(batch, correct))
        for question in (q for row in questions for q in row):
            right[question.family].append(next(marks)[2])
            asked[question.family].append(question)
    return {
        family: {
            'accuracy': round(float(np.mean(right[family])), 4),
            'chance': round(chance(asked[family]), 4),
            'questions': len(right[family]),
        }
        for family in families
        if right[family]
    }


def chance(questions: list[ClipQuestion]) -> float:
    """What an answer without looking would reach."""
    if questions[0].choices:
        return float(np.mean([1 / len(q.choices) for q in questions]))
    return Counter(q.answer for q in questions).most_common(1)[0][1] / len(questions)


def measure_stale(
    model: Nano, words: Words, *, clips: int, device: str = 'cpu'
) -> dict[str, float]:
    """What a camera that froze half-way does to the answers.

    8 frames are shown; then the newest 4 are replaced by the frame before them. Asked are state
    questions whose true answer has changed since that frame. `fresh`: right on the true frames;
    `stale`: right on the frozen ones; `stale_says_old`: gives the frozen frame's truth.
    """
    fresh: list[bool] = []
    stale: list[bool] = []
    old: list[bool] = []
    base = packing.prefix(words, 8, 4, 4)[3]
    for first in range(0, clips, CLIPS):
        rng = np.random.default_rng((FIRST_SEED, 7, first))
        true, frozen, now, then = [], [], [], []
        for i in range(CLIPS):
            clip = packing.draw_clip(FIRST_SEED + 900_000 + first + i, rng, 8, 4, 4)
            kept = np.concatenate([clip.frames[:4], np.repeat(clip.frames[3:4], 4, 0)])
            pairs = changed_questions(Scene(clip.states), Scene(clip.states[:4]))
            true.append(clip)
            frozen.append(Film(kept, clip.states))
            now.append([q for q, _ in pairs][:20])
            then.append([q for _, q in pairs][:20])
        for shown, asked, marks in ((true, now, fresh), (frozen, now, stale), (frozen, then, old)):
            batch = packing.pack(words, shown, asked, tokens(words, asked), base)
            with torch.no_grad():
                _, correct, _ = run(model, batch, words, device)
            marks.extend(whole for _, _, whole in score(batch, correct))
    return {
        'questions': len(fresh),
        'fresh': round(float(np.mean(fresh)), 4),
        'stale': round(float(np.mean(stale)), 4),
        'stale_says_old': round(float(np.mean(old)), 4),
    }


def changed_questions(now: Scene, then: Scene) -> list[tuple[ClipQuestion, ClipQuestion]]:
    """State questions that have another true answer now than then, as (now, then) pairs."""
    pairs = []
    for family in CURRENT_STATE:
        for about in now.subjects(family):
            new, old = now.answer(family, about), then.answer(family, about)
            if new is not None and old is not None and new != old:
                text = PHRASES[family][0].format(about)
                pairs.append((ClipQuestion(family, text, new), ClipQuestion(family, text, old)))
    return pairs


def mean(results: dict[str, dict[str, float]], families: tuple[str, ...]) -> float:
    """Mean accuracy of some families."""
    return round(float(np.mean([results[f]['accuracy'] for f in families if f in results])), 4)


def report(folder: Path, *, quota: int = 500, device: str = 'cpu') -> dict[str, object]:
    """Everything that the model card says about accuracy."""
    model, words = load_nano(folder, device), load_words(folder)

    def arm(seed: int, frames: int, **more: object) -> dict[str, dict[str, float]]:
        return measure(model, words, seed=seed, frames=frames, device=device, **more)  # type: ignore[arg-type]

    eight = arm(1, 8, quota=quota)
    one = arm(2, 1, quota=quota)
    summary: dict[str, object] = {
        'current_state_8_frames': mean(eight, CURRENT_STATE),
        'current_state_1_frame': mean(one, CURRENT_STATE),
        'change_8_frames': mean(eight, CHANGE_FAMILIES),
    }
    some = max(quota // 8, 20)
    other = {}
    for seed, frames, grid in (
        *((10 + i, 4, grid) for i, grid in enumerate(GRIDS)),
        (20, 2, (4, 4)),
        (21, 4, (4, 4)),
        (22, 12, (4, 4)),
        (23, 16, (4, 4)),
        (24, 8, (6, 8)),
    ):
        results = arm(seed, frames, grid=grid, quota=some)
        other[f'{frames} x {grid[0]}x{grid[1]}'] = {
            'questions_per_family': some,
            'current_state': mean(results, CURRENT_STATE),
            'change': mean(results, CHANGE_FAMILIES),
        }
    return {
        'parameters': sum(w.numel() for w in export_weights(model.state_dict()).values()),
        'bytes': (folder / 'model.safetensors').stat().st_size,
        'wordings': sum(map(len, PHRASES.values())),
        'summary': summary,
        'frames_8': eight,
        'frames_8_closed': arm(3, 8, quota=quota, closed=True),
        'frames_1': one,
        'frames_1_closed': arm(4, 1, quota=quota, closed=True),
        'other_shapes': other,
        'stale': measure_stale(model, words, clips=max(quota // 2, CLIPS), device=device),
    }


def write_report(
    folder: Path, *, recipe: dict[str, object], quota: int = 500, device: str = 'cpu'
) -> None:
    """Measure, and leave report.json and MODEL_CARD.md in the model's folder."""
    results = {'recipe': recipe, **report(folder, quota=quota, device=device)}
    (folder / 'report.json').write_text(json.dumps(results, indent=1) + '\n')
    (folder / 'MODEL_CARD.md').write_text(model_card(results))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description='Measure a nano model on held-out clips.')
    parser.add_argument('--model', type=Path, required=True, help='the mlx-vlm folder')
    parser.add_argument('--quota', type=int, default=500, help='questions per family')
    parser.add_argument('--recipe', type=json.loads, default={}, help='JSON noted in the report')
    args = parser.parse_args()
    torch.set_num_threads(1)
    write_report(args.model, recipe=args.recipe, quota=args.quota)
    print((args.model / 'MODEL_CARD.md').read_text())


if __name__ == '__main__':
    main()
