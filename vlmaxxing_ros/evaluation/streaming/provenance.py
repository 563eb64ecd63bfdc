# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Where results come from: code, model, machine, command; strings for the artifact's rows."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vlmaxxing_ros.engine.families.loading import NANO
from vlmaxxing_ros.evaluation.machine import machine


def provenance(given: Sequence[str]) -> dict[str, Any]:
    """The fields that are the same in every row of a run; `given`: the command's arguments."""
    ran_on = machine()
    weights = hashlib.sha256((NANO / 'model.safetensors').read_bytes()).hexdigest()
    commit = commit_sha()
    return {
        'run_id': hashlib.sha256(
            f'{commit} {weights} {sorted(ran_on.items())}'.encode()
        ).hexdigest()[:16],
        'model_id': 'vlmaxxing_ros/nano (Qwen2.5-VL, 1.73 M parameters)',
        'model_sha': weights,
        'quantization': 'none: float16 weights, float32 arithmetic',
        'runtime': f'mlx-vlm {ran_on["mlx_vlm"]}',
        'runtime_commit': f'vlmaxxing_ros {ran_on["vlmaxxing_ros"]}',
        'hardware': f'{ran_on["device"]}: {ran_on["processor"]}',
        'os_version': ran_on['system'],
        'mlx_version': ran_on['mlx'],
        'metal_version': None,
        'command_line': shlex.join(
            [Path(sys.executable).name, '-m', 'vlmaxxing_ros.evaluation.streaming', *given]
        ),
        'memory_definition': "MLX allocator's peak while the arm ran on the video, model included",
        'commit_sha': commit,
    }


def commit_sha() -> str:
    """The commit of the code, `+` behind it where files were changed; `unknown` outside git."""
    folder = Path(__file__).parent
    try:
        head, changes = (
            subprocess.run(
                ['git', *arguments], cwd=folder, capture_output=True, text=True, check=True
            ).stdout.strip()
            for arguments in (('rev-parse', 'HEAD'), ('status', '--porcelain', '-uno'))
        )
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'
    return head + ('+' if changes else '')
