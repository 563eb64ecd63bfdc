# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A model zoo: one small folder per checkpoint family, as the published ones are laid out.

Everything is written from scratch: a vocabulary of a few hundred tokens with the family's own
special tokens, a chat template of the same structure in our own words, the processor's real
settings with small sizes, random weights.  They are loaded as any folder is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
from engine.families.zoo.checkpoint import Checkpoint
from engine.families.zoo.gemma import gemma, gemma3n
from engine.families.zoo.messages import fastvlm, internvl
from engine.families.zoo.minicpm import minicpmo, minicpmv
from engine.families.zoo.mistral import magistral, pixtral
from engine.families.zoo.qwen import qwen3_5
from engine.families.zoo.tiles import lfm2, smolvlm
from mlx.utils import tree_flatten

from vlmaxxing_ros.random_models.families import build

ZOO: dict[str, Callable[[], Checkpoint]] = {
    'qwen3_5': qwen3_5,
    'gemma3': lambda: gemma('gemma3', '\\n\\n'),
    'gemma4': lambda: gemma('gemma4', ''),
    'gemma4, older template': lambda: gemma('gemma4', '\\n\\n'),
    'pixtral': pixtral,
    'mistral3': lambda: pixtral('mistral3'),
    'smolvlm': smolvlm,
    'idefics3': lambda: smolvlm('idefics3'),
    'internvl': internvl,
    'fastvlm': fastvlm,
    'lfm2': lfm2,
    'minicpmv4_6': minicpmv,
    'minicpmo': minicpmo,
}

THINKING: dict[str, Callable[[], Checkpoint]] = {'magistral': magistral}
"""Thoughts cannot be switched off in these: without them our prompt is not the stock one."""

REFUSED: dict[str, Callable[[], Checkpoint]] = {
    'gemma3n': gemma3n,
    'minicpmv4_7': lambda: minicpmv('minicpmv4_7'),
}


def write(name: str, folder: Path, **text: Any) -> Checkpoint:
    """Write one checkpoint's folder; `text` replaces fields of its text configuration."""
    checkpoint = (ZOO | THINKING | REFUSED)[name]()
    if text:
        checkpoint.config['text_config'].update(text)
    config = json.loads(json.dumps(checkpoint.config))
    mx.random.seed(0)
    built = json.loads(json.dumps(config))
    built.setdefault('text_config', built.pop('llm_config', {}))
    weights = dict(tree_flatten(build(built).parameters()))
    mx.save_safetensors(str(folder / 'model.safetensors'), weights, metadata={'format': 'mlx'})
    checkpoint.tokenizer.save_pretrained(str(folder))
    (folder / 'chat_template.jinja').write_text(checkpoint.template)
    for file, content in {'config.json': config, **checkpoint.files}.items():
        (folder / file).write_text(json.dumps(content))
    return checkpoint
