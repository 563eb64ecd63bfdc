# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A processor for each architecture that random_models can draw.

The tokenizer is the nano model's; the image processor is the architecture's own, built in code.
Knows nothing of weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx_vlm.models.qwen2_5_vl  # noqa: F401  (teaches AutoProcessor the nano model's type)
from mlx_vlm.models.qwen3_vl.processing_qwen3_vl import Qwen3VLImageProcessor, Qwen3VLProcessor
from mlx_vlm.tokenizer_utils import NaiveStreamingDetokenizer
from mlx_vlm.utils import StoppingCriteria, load_processor
from transformers import AutoTokenizer

from vlmaxxing_ros.engine.families.loading import NANO


def random_processor(model_type: str, config: dict[str, Any]) -> Any:
    """The processor for a model of this type with this config.json."""
    if model_type.startswith('qwen2'):
        return _qwen2(config)
    return _ready(_qwen3(), config)


def _qwen2(config: dict[str, Any]) -> Any:
    processor = load_processor(Path(NANO), True, eos_token_ids=config['eos_token_id'])
    # The nano model's limit on the image size is not this model's.
    processor.image_processor.max_pixels = 16384 * 28 * 28
    processor.image_processor.min_pixels = 28 * 28
    return processor


def _qwen3() -> Any:
    tokenizer = AutoTokenizer.from_pretrained(str(NANO))
    images = Qwen3VLImageProcessor(patch_size=16, min_pixels=32**2, max_pixels=16384 * 32**2)
    return Qwen3VLProcessor(images, tokenizer, chat_template=tokenizer.chat_template)


def _ready(processor: Any, config: dict[str, Any]) -> Any:
    """Add what mlx-vlm's loader adds for its own generation loop."""
    tokenizer = processor.tokenizer
    processor.detokenizer = NaiveStreamingDetokenizer(tokenizer)
    tokenizer.stopping_criteria = StoppingCriteria(config['eos_token_id'], tokenizer)
    return processor
