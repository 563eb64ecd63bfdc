# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Prompts as a model's chat template writes them: text, before anything is tokenised.

Knows the processor's template and the form of messages; knows nothing of tokens or frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families.messages import user_message
from vlmaxxing_ros.engine.families.template import render_template

MARK = 'QUESTIONMARKER'
LABEL = 'LABELMARKER'


@dataclass(frozen=True)
class Thought:
    """How a model's thoughts are set off from its answer.

    Attributes:
        opening: the token that opens them.
        closing: what closes them; its last token does.
        gap: what stands between them and the answer.
    """

    opening: str
    closing: str
    gap: str


_THOUGHTS = (Thought('<think>', '\n</think>', '\n\n'), Thought('[THINK]', '[/THINK]', ''))


@dataclass(frozen=True)
class Prompts:
    """One model's prompts, `MARK` standing where the question goes.

    Attributes:
        shown: with one, two and three images.
        after: what follows the question up to the answer, a block for thoughts closed.
        thoughtful: the same with thinking on; equal to `after` where the template has no such
            thing.
        thought: how it is set off.
        trims: the template strips questions.
        labelled: with two images and the text `LABEL` between them; '' where the template refuses.
    """

    shown: tuple[str, str, str]
    after: str
    thoughtful: str
    thought: Thought
    trims: bool
    labelled: str


def prompts(processor: Any, model_type: str) -> Prompts:
    """Render everything that a family asks of its chat template, in one go.

    Raises:
        ModelError: there is no template, it fails, or it does not show images and a question.
    """
    template, tokens = _template(processor)
    one = ['']
    wanted = [(MARK, one, False), (MARK, 2 * one, False), (MARK, 3 * one, False)]
    wanted += [(f' {MARK} ', one, False), (MARK, one, True)]
    values = [_values(tokens, user_message(model_type, q, c), t) for q, c, t in wanted]
    between = _values(tokens, user_message(model_type, MARK, ['', LABEL]), False)
    try:
        *texts, labelled = render_template(template, [*values, between])
    except ModelError:  # perhaps for the text between images alone
        texts, labelled = list(render_template(template, values)), ''
    *shown, padded, thoughtful = texts
    if any(text.count(MARK) != 1 for text in shown) or len(set(shown)) < 3:
        raise ModelError(
            f'the chat template does not show images followed by one question: {shown[1]!r}'
        )
    plain, after = (text.partition(MARK)[2] for text in (shown[0], thoughtful))
    thought = next((t for t in _THOUGHTS if t.opening in template), _THOUGHTS[0])
    return Prompts(
        shown=(shown[0], shown[1], shown[2]),
        after=_closed(plain, thought),
        thoughtful=after,
        thought=thought,
        trims=f' {MARK} ' not in padded,
        labelled=labelled,
    )


def render(
    processor: Any,
    question: str,
    *,
    images: int = 1,
    captions: Sequence[str] = (),
    model_type: str = '',
) -> str:
    """A prompt as the model's chat template writes it: the images, then the question.

    Args:
        processor: the model's mlx-vlm processor.
        question: plain text.
        images: how many there are, unless captions tell.
        captions: text before each image; '' for none.
        model_type: of the model, which decides on the form of its messages.

    Raises:
        ModelError: the model has no chat template, or it fails.
    """
    template, tokens = _template(processor)
    told = list(captions) or [''] * images
    # Rendered with marks, which are the same for every question: once is enough.
    marks = [f'CAPTION{number}MARKER' if text else '' for number, text in enumerate(told)]
    values = _values(tokens, user_message(model_type, MARK, marks), False)
    prompt = render_template(template, [values])[0]
    for mark, text in zip(marks, told, strict=True):
        prompt = prompt.replace(mark, text) if text else prompt
    return prompt.replace(MARK, question)


def _values(tokens: dict[str, Any], message: dict[str, Any], thinking: bool) -> dict[str, Any]:
    """What a template is rendered with, as mlx-vlm and transformers do it."""
    mode = {'thinking_mode': 'enabled'} if thinking else {}
    return {
        **tokens,
        **mode,
        'messages': [message],
        'tools': None,
        'documents': None,
        'add_generation_prompt': True,
        'enable_thinking': thinking,
    }


def _template(processor: Any) -> tuple[str, dict[str, Any]]:
    """The chat template, and the names of the special tokens that it may use."""
    tokenizer = getattr(processor, 'tokenizer', processor)
    template = getattr(processor, 'chat_template', None) or tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get('default')
    if not template:
        raise ModelError('the model has no chat template: add chat_template.jinja to its folder')
    names = tokenizer.special_tokens_map.items()
    return str(template), {k: [*map(str, v)] if isinstance(v, list) else str(v) for k, v in names}


def _closed(after: str, thought: Thought) -> str:
    """The prompt's end with the block for thoughts closed, as templates that do so write it."""
    open_ = thought.opening in after
    if not open_ or thought.closing.strip() in after.rpartition(thought.opening)[2]:
        return after
    return after.rstrip('\n') + '\n' * thought.closing.count('\n') + thought.closing + thought.gap
