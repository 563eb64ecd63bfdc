# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Chat templates are rendered as transformers renders them, and cannot harm whoever asks."""

from __future__ import annotations

import pytest
from engine.families.zoo.folders import ZOO

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families.messages import user_message
from vlmaxxing_ros.engine.families.template import render_template


@pytest.mark.parametrize('name', ['qwen3_5', 'gemma3', 'pixtral', 'smolvlm', 'lfm2'])
def test_a_prompt_is_what_transformers_makes_of_it(name: str) -> None:
    checkpoint = ZOO[name]()
    message = user_message(checkpoint.config['model_type'], 'what?', [''])
    values = {'messages': [message], 'add_generation_prompt': True, 'enable_thinking': False}
    tokens = checkpoint.tokenizer.special_tokens_map
    told = {k: str(v) for k, v in tokens.items() if isinstance(v, str)}
    expected = checkpoint.tokenizer.apply_chat_template(
        [message],
        chat_template=checkpoint.template,
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=False,
    )
    assert render_template(checkpoint.template, [{**told, **values}]) == (expected,)


def test_what_templates_use_beyond_jinja_is_there() -> None:
    template = (
        '{% for i in [1, 2, 3] %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}'
        "{{ {'ä': 1} | tojson }}{% generation %}words{% endgeneration %}"
        "{{ strftime_now('%Y') | length }}"
    )
    assert render_template(template, [{}]) == ('1{"ä": 1}words4',)


@pytest.mark.parametrize(
    'template',
    [
        '{{ (10 ** (10 ** 9)) | string | length }}',
        "{{ 'x' * (10 ** 10) }}",
        '{% for a in range(99999) %}{% for b in range(99999) %}{{ a * b }}{% endfor %}{% endfor %}',
    ],
)
def test_a_template_that_computes_for_ever_or_fills_the_memory_is_refused(
    template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('vlmaxxing_ros.engine.families.template.SECONDS', 0.5)
    with pytest.raises(ModelError, match='chat template'):
        render_template(template, [{}])


@pytest.mark.parametrize(
    'template', ['{% if %}', '{{ raise_exception("no images") }}', '{{ 1 / 0 }}']
)
def test_a_template_that_fails_is_refused_in_one_line(template: str) -> None:
    with pytest.raises(ModelError, match='chat template cannot be rendered') as refusal:
        render_template(template, [{}])
    assert '\n' not in str(refusal.value)


def test_the_sandbox_lets_nothing_out() -> None:
    with pytest.raises(ModelError, match='SecurityError'):
        render_template("{{ ''.__class__.__mro__[1].__subclasses__() }}", [{}])
