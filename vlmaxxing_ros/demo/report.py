# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The demo's report: one self-contained page with the answers, the budget and overlay pictures."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import jinja2
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from sensor_msgs.msg import Image

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.demo.recordings import START, ScriptedQuestion
from vlmaxxing_ros.palette import PAID, REUSED, hexadecimal

PICTURES = 4
"""Overlay pictures per camera."""


@dataclass(frozen=True)
class Asked:
    """A question, its answer, the tokens as they came, and cold dense's price (s, estimated)."""

    question: ScriptedQuestion
    answer: Answer
    tokens: tuple[str, ...]
    dense_time: float

    @property
    def right(self) -> bool:
        """Whether the answer is the truth of the moment that was asked about."""
        return bool(self.answer.answer == self.question.answer)

    @property
    def oldest(self) -> float:
        """Stamp of the oldest evidence, seconds into the recording."""
        return _seconds(self.answer.oldest_evidence_stamp)

    @property
    def newest(self) -> float:
        """Stamp of the newest evidence, seconds into the recording."""
        return _seconds(self.answer.newest_evidence_stamp)


def write_report(
    out: Path,
    model: str,
    asked: list[Asked],
    budgets: dict[str, list[FreshBudget]],
    overlays: dict[str, list[Image]],
) -> Path:
    """Write `out`/report.html and return its path."""
    pictures = {
        camera: [_picture(image) for image in _spread(images)]
        for camera, images in sorted(overlays.items())
    }
    page = jinja2.Environment(autoescape=True).from_string(_PAGE)
    path = out / 'report.html'
    path.write_text(
        page.render(
            model=model,
            asked=asked,
            right=sum(a.right for a in asked),
            reused=sum(a.answer.reused_tokens for a in asked),
            prompt=sum(a.answer.prompt_tokens for a in asked),
            plot=_plot(asked, budgets),
            pictures=pictures,
        )
    )
    return path


def _seconds(stamp: object) -> float:
    sec, nanosec = int(getattr(stamp, 'sec')), int(getattr(stamp, 'nanosec'))  # noqa: B009
    return sec + nanosec * 1e-9 - START * 1e-9


def _spread(images: list[Image]) -> list[Image]:
    """A few of the images, evenly spread."""
    index = np.linspace(0, len(images) - 1, min(PICTURES, len(images))).round().astype(int)
    return [images[i] for i in index]


def _picture(image: Image) -> tuple[str, float]:
    """A PNG as base64, and the image's time in seconds."""
    pixels = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)
    rgb = pixels[:, : image.width * 3].reshape(image.height, image.width, 3)
    _, png = cv2.imencode('.png', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return base64.b64encode(png.tobytes()).decode(), _seconds(image.header.stamp)


def _plot(asked: list[Asked], budgets: dict[str, list[FreshBudget]]) -> str:
    """What each frame cost over time, and when questions were asked, as SVG."""
    with mpl.rc_context({'svg.fonttype': 'none', 'font.size': 9}):
        figure = Figure(figsize=(9.5, 2.2 * max(1, len(budgets))), layout='constrained')
        axes = figure.subplots(len(budgets), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (camera, frames) in zip(axes, sorted(budgets.items()), strict=True):
            time = [_seconds(b.header.stamp) for b in frames]
            share = [b.fresh_ratio for b in frames]
            axis.bar(time, share, width=0.08, color=hexadecimal(PAID), label='blocks paid for')
            moments = [a.question.at for a in asked if a.question.camera == camera]
            axis.plot(
                moments, [1.06] * len(moments), 'v', color=hexadecimal(REUSED), label='question'
            )
            axis.set(ylabel=f'{camera}: share of blocks', ylim=(0, 1.15), yticks=[0, 0.5, 1])
            axis.spines[['top', 'right']].set_visible(False)
        axes[0].legend(loc='upper right', ncols=2, frameon=False, bbox_to_anchor=(1, 1.3))
        axes[-1].set_xlabel('time in the recording (s)')
        buffer = io.StringIO()
        figure.savefig(buffer, format='svg', transparent=True)
    return buffer.getvalue()[buffer.getvalue().index('<svg') :]


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>vlmaxxing_ros demo</title>
<style>
 :root { color-scheme: light dark; --ink: #1c2024; --soft: #5f666d; --line: #e3e5e8;
         --paper: #fff; --bad: #b04a00; }
 @media (prefers-color-scheme: dark) {
  :root { --ink: #ebebeb; --soft: #a0a0a8; --line: #3a3a42; --paper: #18181c; --bad: #ff8a3d; }
  svg { filter: invert(1) hue-rotate(180deg); } }
 body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem;
        padding: 0 1rem; color: var(--ink); background: var(--paper); }
 h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
 .scroll { overflow-x: auto; } svg { max-width: 100%; height: auto; }
 table { border-collapse: collapse; width: 100%; font-size: .85rem;
         font-variant-numeric: tabular-nums; }
 th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid var(--line);
          vertical-align: top; }
 th { vertical-align: bottom; } td.n, th.n { text-align: right; } td.n { white-space: nowrap; }
 td.q { min-width: 14rem; }
 .wrong { color: var(--bad); font-weight: 600; } .dim { color: var(--soft); }
 .pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr));
             gap: 1rem; }
 figure { margin: 0; } img { width: 100%; image-rendering: pixelated; border-radius: 4px; }
 figcaption { color: var(--soft); font-size: .85rem; }
</style></head><body>
<h1>vlmaxxing_ros demo: two cameras, one node, answers while they play</h1>
<p><b>{{ right }} of {{ asked|length }}</b> answers were the truth of the moment asked about;
 <b>{{ reused }} of {{ prompt }}</b> prompt tokens came from the cache. Model: {{ model }}.</p>
<h2>What every frame cost</h2>
{{ plot|safe }}
{% for camera, images in pictures.items() %}
<h2>What was owed: {{ camera }}</h2>
<p class="dim">Orange: changed, and not paid for when the image came; blue: changed a little,
 reused; grey: static, reused.</p>
<div class="pictures">{% for png, time in images %}
<figure><img alt="overlay of {{ camera }} at {{ '%.1f'|format(time) }} s"
 src="data:image/png;base64,{{ png }}"><figcaption>{{ '%.1f'|format(time) }} s</figcaption></figure>
{% endfor %}</div>{% endfor %}
<h2>Questions and answers</h2>
<div class="scroll"><table>
<tr><th class="n">asked at<br>(s)</th><th>camera</th><th>question</th><th>answer</th><th>truth</th>
 <th class="n">evidence<br>(s)</th><th class="n">first token<br>(ms)</th>
 <th class="n">reused<br>tokens</th><th class="n">cold dense<br>(ms, estimate)</th>
 <th>exact</th></tr>
{% for a in asked %}<tr>
 <td class="n">{{ '%.2f'|format(a.question.at) }}</td><td>{{ a.question.camera }}</td>
 <td class="q">{{ a.question.question }}
  {% if a.question.choices %}<span class="dim">({{ a.question.choices|join(', ') }})</span>
  {% endif %}</td>
 <td class="{{ '' if a.right else 'wrong' }}">{{ '' if a.right else '✗ '
  }}{{ a.answer.answer or a.answer.status_text }}</td>
 <td>{{ a.question.answer }}</td>
 <td class="n">{{ '%.1f'|format(a.oldest) }} to {{ '%.1f'|format(a.newest) }}</td>
 <td class="n">{{ '%.0f'|format(a.answer.time_to_first_token * 1000) }}</td>
 <td class="n">{{ a.answer.reused_tokens }}/{{ a.answer.prompt_tokens }}</td>
 <td class="n">{{ '%.0f'|format(a.dense_time * 1000) }}</td>
 <td>{{ 'yes' if a.answer.exact else 'no' }}</td></tr>
{% endfor %}</table></div>
</body></html>
"""
