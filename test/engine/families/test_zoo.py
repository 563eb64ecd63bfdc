# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Published checkpoints, as far as their files go: each is prompted as stock mlx-vlm prompts it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from engine.families.exactness import greedy, live, next_logits, noise, same, snapshot, stream
from engine.families.zoo import ZOO, FastVitHd, write
from mlx_vlm import stream_generate
from mlx_vlm.models.gemma3n import Model as Gemma3n
from mlx_vlm.models.gemma3n import vision
from mlx_vlm.prompt_utils import apply_chat_template
from mlx_vlm.utils import prepare_inputs, should_add_special_tokens
from PIL import Image

from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import ModelError, Unsupported
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.families.generic import image_token_id
from vlmaxxing_ros.engine.question import Answer, Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.session import StreamSession

pytestmark = pytest.mark.filterwarnings('ignore:At least one mel filter')  # Gemma 4's audio

QUESTION = 'what do you see?'


@pytest.fixture(scope='module', params=ZOO)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    return load(request.param, tmp_path_factory.mktemp('zoo'))


@pytest.fixture(scope='module', autouse=True)
def small_tower() -> Iterator[None]:
    """The towers of FastVLM and Gemma 3n have one size, a hundred times too large for a test."""
    patch = pytest.MonkeyPatch()
    patch.setattr(FastVitHd, 'layers', [1] * 5)
    patch.setattr(FastVitHd, 'embed_dims', [8, 16, 32, 32, 64])
    stages = [
        [vision._er(3, 8, 2, 1.0)],
        [vision._uir(0, 3, 8, 2, 1.0)],
        [vision._uir(0, 3, 640, 2, 1.0), vision._mmqa(2, 16, 1)],
        [vision._uir(0, 3, 1280, 2, 1.0)],
    ]
    patch.setattr(vision, 'gemma3n_mobilenet_def', lambda: stages)
    yield
    patch.undo()


def load(name: str, folder: Path, **text: Any) -> Family:
    """Load a checkpoint; `text` replaces fields of its language model's configuration."""
    write(name, folder, **text)
    return load_family(str(folder))


def stock_prompt(family: Family, count: int, captions: tuple[str, ...] = ()) -> str:
    """Mlx-vlm's own prompt."""
    parts: list[dict[str, str]] = []
    for number in range(count):
        parts += [{'type': 'text', 'text': text} for text in captions[number:][:1] if text]
        parts.append({'type': 'image'})
    parts.append({'type': 'text', 'text': QUESTION})
    config = {'model_type': family.model.config.model_type}
    return str(
        apply_chat_template(
            family.processor, config, [{'role': 'user', 'content': parts}], num_images=count
        )
    )


def one_beginning(family: Family, frames: list[Frame], prompt: str) -> str:
    """The prompt without a beginning of sequence that mlx-vlm would put before it once more."""
    begin = family.text.one_bos([])
    twice = bool(begin) and raw_ids(family, frames, prompt)[: 2 * len(begin)] == 2 * begin
    return prompt.removeprefix(family.processor.tokenizer.bos_token) if twice else prompt


def raw_ids(family: Family, frames: list[Frame], prompt: str) -> list[int]:
    """What stock generation prefills."""
    inputs = prepare_inputs(
        family.processor,
        images=[Image.fromarray(frame.pixels) for frame in frames],
        prompts=prompt,
        image_token_index=family.image_id,
        add_special_tokens=should_add_special_tokens(
            family.model.config.model_type, family.processor
        ),
    )
    return [int(id_) for id_ in np.array(inputs['input_ids'])[0]]


def stock_ids(family: Family, frames: list[Frame], captions: tuple[str, ...] = ()) -> list[int]:
    """What stock generation prefills, with one beginning of sequence."""
    prompt = one_beginning(family, frames, stock_prompt(family, len(frames), captions))
    ids = raw_ids(family, frames, prompt)
    if family.stock_images == 1:  # FastVLM has one id for all of an image's rows
        rows = (family.frame_rows(frames[0].grid, 0).blocks >= 0).sum()
        return [i for id_ in ids for i in [id_] * (rows if id_ == family.image_id else 1)]
    return ids


def ask(family: Family, config: EngineConfig | None = None, **fields: Any) -> Answer:
    session = StreamSession(family, config or EngineConfig(max_tokens=8))
    for frame in noise(family, 2, rows=4, cols=5):
        session.admit(frame)
    asking: Asking = session.ask(Question(text=QUESTION, **fields))
    list(asking)
    assert asking.answer is not None
    return asking.answer


@pytest.mark.parametrize('count', [1, 2, 3])
def test_a_streams_ids_are_those_of_the_stock_prompt(family: Family, count: int) -> None:
    frames = noise(family, count, rows=4, cols=5)
    ids = list(family.text.prefix_ids)
    for frame in frames:
        ids += family.frame_rows(frame.grid, len(ids)).ids.tolist()
    assert ids + family.text.question_ids(QUESTION, ()) == stock_ids(family, frames)


def test_another_cameras_frame_stands_behind_its_label_as_stock_prompts_it_or_is_refused(
    family: Family,
) -> None:
    first, other = noise(family, 2, rows=4, cols=5)
    ids, label = list(family.text.prefix_ids), 'wrist camera:'
    ids += family.frame_rows(first.grid, len(ids)).ids.tolist()
    if 'LABELMARKERQUESTIONMARKER' in family.text.prompts.labelled:  # texts behind all images
        with pytest.raises(Unsupported, match='no text between two images'):
            family.labelled_rows(label, other, len(ids))
        return
    ids += family.labelled_rows(label, other, len(ids)).ids.tolist()
    ids += family.text.question_ids(QUESTION, ())
    assert ids == stock_ids(family, [first, other], ('', label + family.caption(other)))


def test_the_answer_is_the_one_that_stock_generation_gives(family: Family) -> None:
    answers_as_stock(family)


def answers_as_stock(family: Family) -> None:
    frames = noise(family, min(2, family.stock_images), rows=4, cols=5)
    captions = tuple(family.caption(frame) for frame in frames)
    results = stream_generate(
        family.model,
        family.processor,
        one_beginning(family, frames, stock_prompt(family, len(frames), captions)),
        [Image.fromarray(frame.pixels) for frame in frames],
        max_tokens=8,
        temperature=0.0,
    )
    expected = [result.token for result in results][:8]
    ours = greedy(family, stream(family, frames).fork(), 8, QUESTION)
    assert ours[: len(expected)] == expected


def test_an_answer_ends_where_stock_generation_ends_it(family: Family) -> None:
    stopping = family.processor.tokenizer.stopping_criteria
    assert family.text.end_ids == set(stopping.eos_token_ids)


def test_streaming_is_a_cold_prefill_bit_for_bit(family: Family) -> None:
    frames = noise(family, 4, rows=4, cols=5)
    cache, cold = live(family, frames), stream(family, frames)
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))
    assert same(snapshot(cache), snapshot(cold))


def test_control_tokens_in_a_question_are_text(family: Family) -> None:
    added = family.processor.tokenizer.added_tokens_decoder
    control = {id_: str(token) for id_, token in added.items() if str(token).strip('\n▁')}
    text = 'a ' + ' '.join(control.values()) + '\n\n b'
    ids = family.text.plain_ids(text)
    assert not set(control).intersection(ids)
    assert family.text.decode(ids) == text


@pytest.mark.parametrize('choice', ['left', 'top right', '42', '<b>'])
def test_a_choice_is_scored_as_the_model_would_write_it(family: Family, choice: str) -> None:
    tokenizer = family.processor.tokenizer
    prompt = stock_prompt(family, 1)
    space = '' if prompt.endswith(('\n', '>', ']')) else ' '
    whole = tokenizer(prompt + space + choice, add_special_tokens=False)['input_ids']
    ids = family.text.choice_ids(choice)
    assert whole[-len(ids) :] == ids
    assert family.text.question_ids(QUESTION, ())[-4:] == whole[: -len(ids)][-4:]


def test_choices_and_json_and_free_text_are_answered(family: Family) -> None:
    answer = ask(family, choices=('left', 'top right'))
    assert answer.finish_reason == 'choice'
    assert sum(answer.choice_probabilities) == pytest.approx(1.0)
    answer = ask(family, json_schema='{"type": "boolean"}')
    assert json.loads(answer.answer) in (True, False)
    answer = ask(family)
    assert answer.answer == answer.answer.strip()


@pytest.mark.parametrize(('height', 'width'), [(1, 1), (3000, 7), (30, 4000), (2160, 3840)])
def test_images_of_odd_sizes_fit_and_are_prompted_as_stock_prompts_them(
    family: Family, height: int, width: int
) -> None:
    grid = family.grid(height, width, 20)
    frame = Frame.from_image(np.zeros((height, width, 3), np.uint8), grid, stamp=1)
    features, _ = family.encode(frame, None, np.unique(family.windows(grid)))
    rows = int((family.frame_rows(grid, 0).blocks >= 0).sum())
    assert len(features.embeds) == rows
    assert rows <= 20 or family.grid(64, 64, 20).blocks == 4  # a fixed number, whatever it is shown
    ids = list(family.text.prefix_ids)
    ids += family.frame_rows(grid, len(ids)).ids.tolist()
    assert ids + family.text.question_ids(QUESTION, ()) == stock_ids(family, [frame])


def test_a_model_that_mlx_vlm_answers_otherwise_than_it_reads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match='embeds a token of an answer otherwise'):
        load('gemma3n', tmp_path)


def test_gemma_3n_streams_where_three_faults_of_mlx_vlm_are_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prompt's words are not scaled; what closes an image is only itself beside pixels.

    The third, in layers that share keys and values, is avoided by having none.
    """
    stock = Gemma3n.get_input_embeddings

    def mended(self: Gemma3n, ids: mx.array, pixels: Any = None, **rest: Any) -> Any:
        out, first = stock(self, ids, pixels, **rest), self.embed_vision.vocab_offset
        scaled = out.inputs_embeds * self.config.text_config.hidden_size**0.5
        hard = self.embed_vision(input_ids=mx.maximum(ids, first))
        behind = out.inputs_embeds if pixels is not None else hard
        out.inputs_embeds = mx.where((ids < first)[..., None], scaled, behind)
        return out

    monkeypatch.setattr(Gemma3n, 'get_input_embeddings', mended)
    with pytest.raises(ModelError, match='logits differ from a cold prefill'):
        load('gemma3n', tmp_path)
    family = load('gemma3n', tmp_path, num_kv_shared_layers=0)
    frames = noise(family, 2, rows=4, cols=5)
    ids = list(family.text.prefix_ids)
    for frame in frames:
        ids += family.frame_rows(frame.grid, len(ids)).ids.tolist()
    assert ids + family.text.question_ids(QUESTION, ()) == stock_ids(family, frames)
    answers_as_stock(family)


@pytest.mark.parametrize(('name', 'rows'), [('smolvlm', 4), ('idefics3', 4), ('internvl', 4)])
def test_a_picture_is_not_cut_into_tiles(name: str, rows: int, tmp_path: Path) -> None:
    family = load(name, tmp_path)
    grid = family.grid(240, 320, 192)
    assert (family.frame_rows(grid, 0).blocks >= 0).sum() == rows


@pytest.mark.parametrize('name', ['lfm2', 'pixtral', 'mistral3'])
@pytest.mark.parametrize('limit', [5, 20, 64])
def test_max_blocks_bounds_the_rows_that_a_picture_makes(
    name: str, limit: int, tmp_path: Path
) -> None:
    family = load(name, tmp_path)
    for height, width in [(240, 320), (2160, 3840)]:
        grid = family.grid(height, width, limit)
        assert 1 <= (family.frame_rows(grid, 0).blocks >= 0).sum() <= limit


def test_questions_are_stripped_where_the_template_strips_them(family: Family) -> None:
    plain, padded = (family.text.question_ids(q, ()) for q in (QUESTION, f' \n{QUESTION}\n'))
    assert (plain == padded) == family.text.prompts.trims
    name = family.model.config.model_type
    assert family.text.prompts.trims == (name in ('qwen3_5', 'gemma3', 'gemma4'))


def test_the_vocabulary_has_been_read_when_the_model_is_there(family: Family) -> None:
    vocabulary = family.text.vocabulary()
    assert vocabulary is family.text.vocabulary()
    assert not any(thread.name == 'vocabulary' for thread in threading.enumerate())


@pytest.mark.parametrize('field', ['image_token_id', 'image_token_index'])
def test_the_image_token_is_read_from_config_json_where_mlx_vlm_drops_it(field: str) -> None:
    nothing = SimpleNamespace()
    assert image_token_id(nothing, {field: 77}, nothing) == 77
    with pytest.raises(ModelError, match='names no image token'):
        image_token_id(nothing, {}, nothing)


@pytest.mark.parametrize(
    ('name', 'part', 'field'),
    [
        ('gemma4', 'vision_config', 'pooling_kernel_size'),
        ('gemma4', 'vision_config', 'patch_size'),
        ('lfm2', 'text_config', 'vocab_size'),
        ('pixtral', 'vision_config', 'head_dim'),
    ],
)
@pytest.mark.parametrize('value', [10**9, -1, 0])
def test_a_config_that_makes_no_sense_is_an_error_that_names_the_model(
    name: str, part: str, field: str, value: int, tmp_path: Path
) -> None:
    write(name, tmp_path)
    path = tmp_path / 'config.json'
    config = json.loads(path.read_text())
    config[part][field] = value
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match=tmp_path.name):
        load_family(str(tmp_path))
