# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Results of arms on disk, so that an interrupted evaluation goes on where it stopped.

A result is found again only if everything that it hangs on is the same: recording, questions,
settings, model, the frames of the windows, the code that produced it, and what it ran on: answers
hang on the versions of MLX and mlx-vlm and on the device, seconds on the processor.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import vlmaxxing_ros
from vlmaxxing_ros.evaluation.machine import machine
from vlmaxxing_ros.evaluation.replay import ArmRun

_SOURCES = (
    'engine',
    'evaluation',
    *('ros/images.py', 'ros/compressed.py', 'ros/rvl.py', 'ros/recording.py', 'ros/storage'),
    *('ros/video.py', 'ros/video_stream.py', 'ros/h264.py'),
)


def fingerprint(path: Path) -> list[list[Any]]:
    """Names, sizes and times of change of a file, or of the files in a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob('*') if p.is_file())
    return [[str(f.relative_to(path)), f.stat().st_size, f.stat().st_mtime_ns] for f in files]


def sources() -> list[Path]:
    """The files that decide about results: the evaluation and all of ours that it uses."""
    root = Path(vlmaxxing_ros.__file__).parent
    found: list[Path] = []
    for name in _SOURCES:
        path = root / name
        found += [path] if path.is_file() else sorted(path.rglob('*.py'))
    return found


def _code_digest() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for file in sources():
        digest.update(file.read_bytes())
    return digest.hexdigest()


class Store:
    """The folder `arms` of an evaluation."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._common = [_code_digest(), machine()]

    def path(self, arm: str, recording: str, inputs: Any) -> Path:
        """Where the result for these inputs lies, or will."""
        text = json.dumps([self._common, arm, recording, inputs], sort_keys=True, default=str)
        key = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        return self._folder / f'{recording}.{arm.replace(":", "-")}.{key}.json'

    def load(self, path: Path) -> ArmRun | None:
        """A result, if it is there."""
        try:
            return ArmRun.from_json(json.loads(path.read_text(encoding='utf-8')))
        except FileNotFoundError:
            return None

    def save(self, path: Path, run: ArmRun) -> None:
        """Keep a result; it appears whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix('.part')
        part.write_text(json.dumps(run.to_json(), separators=(',', ':')), encoding='utf-8')
        os.replace(part, path)
