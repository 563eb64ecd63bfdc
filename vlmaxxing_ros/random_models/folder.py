# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A random model as a folder, as published ones come: for nodes, which load folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.random_models.configs import random_config


def save(
    family: Family,
    model_type: str,
    folder: Path,
    size: str = 'tiny',
    overrides: dict[str, Any] | None = None,
) -> None:
    """Write what a published folder holds; the last arguments as for `random_family`."""
    weights = dict(tree_flatten(family.model.parameters()))
    mx.save_safetensors(str(folder / 'model.safetensors'), weights, metadata={'format': 'mlx'})
    config = random_config(model_type, size, overrides or {})
    (folder / 'config.json').write_text(json.dumps(config))
    family.processor.tokenizer.save_pretrained(str(folder))
    (folder / 'chat_template.jinja').write_text(family.processor.chat_template)
    images = vars(family.processor.image_processor)
    plain = {k: v for k, v in images.items() if isinstance(v, (int, float, str, list, dict))}
    (folder / 'preprocessor_config.json').write_text(json.dumps(plain))
