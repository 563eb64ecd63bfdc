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
from mlx_vlm.models.gemma3.processing_gemma3 import Gemma3Processor
from mlx_vlm.models.gemma4.processing_gemma4 import Gemma4ImageProcessor, Gemma4Processor
from mlx_vlm.models.gemma4_unified.processing_gemma4_unified import (
    Gemma4UnifiedImageProcessor,
    Gemma4UnifiedProcessor,
)
from mlx_vlm.models.lfm2_vl.processing_lfm2_vl import Lfm2VlNumpyImageProcessor
from mlx_vlm.models.pixtral.image_processing_pixtral import PixtralImageProcessor
from mlx_vlm.models.pixtral.processing_pixtral import PixtralProcessor
from mlx_vlm.models.qwen3_vl.processing_qwen3_vl import (
    Qwen3VLImageProcessor,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)
from mlx_vlm.tokenizer_utils import NaiveStreamingDetokenizer
from mlx_vlm.utils import StoppingCriteria, load_processor
from transformers import AutoTokenizer, SiglipImageProcessorPil
from transformers.models.lfm2_vl.processing_lfm2_vl import Lfm2VlProcessor

from vlmaxxing_ros.engine.families.loading import NANO
from vlmaxxing_ros.random_models.sizes import EXTRA_TOKENS


def random_processor(model_type: str, config: dict[str, Any]) -> Any:
    """The processor for a model of this type with this config.json."""
    if model_type.startswith('qwen2'):
        return _qwen2(config)
    if model_type.startswith('qwen3'):
        return _ready(_qwen3(), config)
    build = {
        'gemma3': _gemma3,
        'gemma4': _gemma4,
        'gemma4_unified': _gemma4_unified,
        'lfm2_vl': _lfm2,
        'pixtral': _pixtral,
    }[model_type]
    return _ready(build(config), config)


def _tokenizer(model_type: str, frame: str) -> Any:
    """The nano model's, with the tokens that this architecture adds and a frame written `frame`."""
    extra = EXTRA_TOKENS[model_type]
    names = {name: text for name, (_, text) in extra.items()}
    tokenizer = AutoTokenizer.from_pretrained(str(NANO), extra_special_tokens=names)
    tokenizer.add_special_tokens({'additional_special_tokens': list(names.values())})
    assert all(tokenizer.convert_tokens_to_ids(text) == id_ for id_, text in extra.values())
    tokenizer.chat_template = tokenizer.chat_template.replace(
        '<|vision_start|><|image_pad|><|vision_end|>', frame
    )
    return tokenizer


def _qwen2(config: dict[str, Any]) -> Any:
    processor = load_processor(Path(NANO), True, eos_token_ids=config['eos_token_id'])
    # The nano model's limit on the image size is not this model's.
    processor.image_processor.max_pixels = 16384 * 28 * 28
    processor.image_processor.min_pixels = 28 * 28
    return processor


def _qwen3() -> Any:
    tokenizer = AutoTokenizer.from_pretrained(str(NANO))
    images = Qwen3VLImageProcessor(patch_size=16, min_pixels=32**2, max_pixels=16384 * 32**2)
    videos = Qwen3VLVideoProcessor(patch_size=16, min_pixels=32**2)
    return Qwen3VLProcessor(images, tokenizer, videos, chat_template=tokenizer.chat_template)


def _lfm2(config: dict[str, Any]) -> Any:
    tokenizer = _tokenizer('lfm2_vl', '<image>')
    names = ('min_image_tokens', 'max_image_tokens', 'do_image_splitting', 'use_thumbnail')
    images = Lfm2VlNumpyImageProcessor(**{name: config[name] for name in names})
    return Lfm2VlProcessor(images, tokenizer, chat_template=tokenizer.chat_template)


def _gemma3(config: dict[str, Any]) -> Any:
    tokenizer = _tokenizer('gemma3', '<start_of_image>')
    side = config['vision_config']['image_size']
    return Gemma3Processor(
        SiglipImageProcessorPil(size={'height': side, 'width': side}),
        tokenizer,
        chat_template=tokenizer.chat_template,
        image_seq_length=config['text_config']['mm_tokens_per_image'],
    )


def _gemma4(_: dict[str, Any]) -> Any:
    tokenizer = _tokenizer('gemma4', '<|image|>')
    images = Gemma4ImageProcessor(max_soft_tokens=20)
    return Gemma4Processor(images, tokenizer, chat_template=tokenizer.chat_template)


def _gemma4_unified(_: dict[str, Any]) -> Any:
    tokenizer = _tokenizer('gemma4', '<|image|>')
    images = Gemma4UnifiedImageProcessor(max_soft_tokens=20)
    return Gemma4UnifiedProcessor(images, tokenizer, chat_template=tokenizer.chat_template)


def _pixtral(_: dict[str, Any]) -> Any:
    tokenizer = _tokenizer('pixtral', '[IMG]')
    images = PixtralImageProcessor(patch_size={'height': 16, 'width': 16})
    return PixtralProcessor(images, tokenizer, chat_template=tokenizer.chat_template)


def _ready(processor: Any, config: dict[str, Any]) -> Any:
    """Add what mlx-vlm's loader adds for its own generation loop."""
    tokenizer = processor.tokenizer
    processor.detokenizer = NaiveStreamingDetokenizer(tokenizer)
    tokenizer.stopping_criteria = StoppingCriteria(config['eos_token_id'], tokenizer)
    return processor
