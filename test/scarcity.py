# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A machine that runs out of memory: the kernel refuses this process more than a little."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlx.core as mx

from vlmaxxing_ros.engine.families import Family, make_family
from vlmaxxing_ros.random_models.configs import random_config
from vlmaxxing_ros.random_models.families import build
from vlmaxxing_ros.random_models.processors import random_processor


@contextmanager
def little_memory(more: int) -> Iterator[None]:
    """Within the `with` block no more than `more` bytes are to be had."""
    mx.clear_cache()
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def many_heads_config() -> dict:
    """A tower of 64 narrow heads: a frame of 16,384 blocks would take a terabyte."""
    config = random_config('qwen2_5_vl', 'tiny', {})
    config['vision_config'] |= {'hidden_size': 512, 'num_heads': 64}
    return config


def many_heads() -> Family:
    """A random model with such a tower."""
    config = many_heads_config()
    processor = random_processor('qwen2_5_vl', config)
    return make_family('many heads', build(config), processor, config)
