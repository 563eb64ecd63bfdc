# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Train the nano model from nothing: `python -m vlmaxxing_ros.training.train --out DIR`.

Data are drawn on the fly, the same for the same seed however many workers draw them. Needs torch
2.9 or newer besides what the package needs. A checkpoint is kept under DIR/checkpoint.pt, an
mlx-vlm folder is written at every checkpoint, and at the end the held-out report and the card.

Muon: K. Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/ (torch.optim.Muon).
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections import defaultdict
from pathlib import Path
from queue import Full
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vlmaxxing_ros.training import packing
from vlmaxxing_ros.training.folder import write_folder
from vlmaxxing_ros.training.held_out import run, score, write_report
from vlmaxxing_ros.training.model import Nano
from vlmaxxing_ros.training.probes import Probes
from vlmaxxing_ros.training.tokens import Words, train_tokenizer
from vlmaxxing_ros.training.vision import BLOCK

MUON_LR, ADAM_LR = 4e-3, 3e-3
HINT = 0.25
"""Weight of the probes' loss at the start; it falls to nothing over the run."""


def draw_forever(queue: Any, seed: int, steps: int, start: int, worker: int, workers: int) -> None:
    """A process of its own: batches start + worker, + workers, ... into the queue."""
    words = Words(train_tokenizer())
    for index in range(start + worker, steps, workers):
        batch = packing.draw_batch(words, seed, index, index / steps)
        while True:
            try:
                queue.put(batch, timeout=5)
                break
            except Full:
                parent = multiprocessing.parent_process()
                if parent is None or not parent.is_alive():
                    return


def rate(step: int, steps: int) -> float:
    """Learning-rate factor: a short warm-up, constant, linear to nothing over the last 45 %."""
    return min(1.0, (step + 1) / 100, max(0.0, (steps - step) / (0.45 * steps)))


class Optimizer:
    """Muon for matrices, AdamW for the rest, on float32 masters of the (bf16) weights."""

    def __init__(self, model: Nano, probes: Probes) -> None:
        self.names = [name for name, _ in model.named_parameters()]
        self.live = list(model.parameters())
        self.master = [p.detach().float().clone().requires_grad_() for p in self.live]
        matrix = [
            p.ndim == 2 and 'embed' not in n for n, p in zip(self.names, self.live, strict=True)
        ]
        muon = [m for m, yes in zip(self.master, matrix, strict=True) if yes]
        adam = [m for m, yes in zip(self.master, matrix, strict=True) if not yes]
        self.parts = [
            torch.optim.Muon(
                muon, lr=MUON_LR, weight_decay=0.05, adjust_lr_fn='match_rms_adamw', ns_steps=5
            ),
            torch.optim.AdamW(
                [*adam, *probes.parameters()], lr=ADAM_LR, betas=(0.9, 0.98), weight_decay=0.0
            ),
        ]

    def step(self, factor: float) -> None:
        """Move the masters by the live weights' gradients, then copy them back."""
        for live, master in zip(self.live, self.master, strict=True):
            master.grad = None if live.grad is None else live.grad.float()
        torch.nn.utils.clip_grad_norm_(self.master, 1.0)
        for part, base in zip(self.parts, (MUON_LR, ADAM_LR), strict=True):
            for group in part.param_groups:
                group['lr'] = base * factor
            part.step()
            part.zero_grad()
        with torch.no_grad():
            for live, master in zip(self.live, self.master, strict=True):
                live.copy_(master)
                live.grad = None

    def weights(self) -> dict[str, Tensor]:
        """The masters by name."""
        return {
            name: master.detach().clone()
            for name, master in zip(self.names, self.master, strict=True)
        }


def train(args: argparse.Namespace) -> None:
    """Everything, as the command line says."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    device = args.device
    words = Words(tokenizer := train_tokenizer())
    model = Nano().to(device)
    probes = Probes(model.shape).to(device)
    optimizer = Optimizer(model, probes)
    model.to(torch.bfloat16)
    start, seen, spent = 0, 0, 0.0
    args.out.mkdir(parents=True, exist_ok=True)
    kept = args.out / 'checkpoint.pt'
    if args.resume and kept.exists():
        saved = torch.load(kept, map_location=device)
        start, seen, spent = saved['step'], saved['clips'], saved['spent']
        for part, state in zip(optimizer.parts, saved['optimizer'], strict=True):
            part.load_state_dict(state)
        probes.load_state_dict(saved['probes'])
        with torch.no_grad():
            for master, value in zip(optimizer.master, saved['weights'].values(), strict=True):
                master.copy_(value)
            for live, master in zip(optimizer.live, optimizer.master, strict=True):
                live.copy_(master)

    context = multiprocessing.get_context('spawn')
    queues = [context.Queue(4) for _ in range(args.workers)]
    drawers = [
        context.Process(
            target=draw_forever,
            args=(queue, args.seed, args.steps, start, worker, args.workers),
            daemon=True,
        )
        for worker, queue in enumerate(queues)
    ]
    for drawer in drawers:
        drawer.start()

    def keep(step: int) -> None:
        weights = optimizer.weights()
        states = [part.state_dict() for part in optimizer.parts]
        part = kept.with_suffix('.part')
        torch.save(
            {
                'step': step,
                'clips': seen,
                'weights': weights,
                'probes': probes.state_dict(),
                'optimizer': states,
                'spent': spent + time.time() - began,
            },
            part,
        )
        part.replace(kept)
        write_folder(args.out / 'nano', weights, tokenizer)

    began = last = time.time()
    clips = 0
    tally: dict[str, list[bool]] = defaultdict(list)
    losses: list[float] = []
    hints: dict[str, list[float]] = defaultdict(list)
    for step in range(start, args.steps):
        batch = queues[(step - start) % args.workers].get()
        loss, right, read = run(model, batch, words, device)
        labels = {k: torch.as_tensor(v, device=device) for k, v in batch.labels.items()}
        rows, cols = (side // BLOCK for side in batch.frames.shape[2:4])
        found = probes(read, labels, rows, cols)
        hint = torch.stack([*found.values(), 2 * found['change'], found['mover']]).sum()
        (loss + HINT * (1 - step / args.steps) * hint).backward()
        optimizer.step(rate(step, args.steps))
        losses.append(float(loss.detach()))
        for name, value in found.items():
            hints[name].append(float(value.detach()))
        clips += len(batch.frames)
        seen += len(batch.frames)
        if batch.frames.shape[1] > 1 or step < args.steps // 20:
            for family, closed, whole in score(batch, right):
                tally[family].append(whole)
                if closed:
                    tally[f'{family}*'].append(whole)
        if (step + 1) % args.log_every == 0:
            probed = ' '.join(f'{name}={np.mean(v):.2f}' for name, v in hints.items())
            pace = clips / (time.time() - last)
            marks = ' '.join(f'{f}={np.mean(v):.2f}' for f, v in sorted(tally.items()))
            minutes = (spent + time.time() - began) / 60
            print(
                f'{step + 1}/{args.steps} {minutes:.1f} min, {pace:.0f} clips/s, '
                f'loss {np.mean(losses):.3f}, probes [{probed}]: {marks}',
                flush=True,
            )
            clips, last = 0, time.time()
            tally.clear()
            losses.clear()
            hints.clear()
        if (step + 1) % args.keep_every == 0:
            keep(step + 1)
    keep(args.steps)
    minutes = (spent + time.time() - began) / 60
    recipe = {'steps': args.steps, 'seed': args.seed, 'clips': seen, 'minutes': round(minutes, 1)}
    recipe |= {'device': device, 'threads': args.threads}
    write_report(args.out / 'nano', recipe=recipe, device=device)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--steps', type=int, default=7000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--threads', type=int, default=1, help='torch threads of the step')
    parser.add_argument('--workers', type=int, default=1, help='processes that draw data')
    parser.add_argument('--resume', action='store_true', help='go on from DIR/checkpoint.pt')
    parser.add_argument('--log-every', type=int, default=200)
    parser.add_argument('--keep-every', type=int, default=500)
    train(parser.parse_args())


if __name__ == '__main__':
    main()
