# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The documentation's table of capabilities is the code's."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from vlmaxxing_ros.engine.families import Capabilities
from vlmaxxing_ros.engine.families.loading import FAMILIES
from vlmaxxing_ros.engine.families.table import describe, markdown, rewrite

DOCUMENT = Path(__file__).resolve().parents[3] / 'docs' / 'models.md'


def test_the_documented_table_is_current() -> None:
    text = DOCUMENT.read_text(encoding='utf-8')
    assert markdown() in text
    assert rewrite(text) == text


def test_every_capability_says_what_it_means() -> None:
    for spec in fields(Capabilities):
        assert spec.metadata['title']
        assert f'- **{spec.metadata["title"]}**: {spec.metadata["meaning"]}' in markdown()


def test_every_family_has_a_row() -> None:
    lines = markdown().splitlines()
    for name, family in FAMILIES.items():
        marks = ['yes' if able else 'no' for able in describe(family.capabilities).values()]
        assert f'| `{name}` | ' + ' | '.join(marks) + ' |' in lines


def test_only_what_stands_between_the_marks_is_rewritten() -> None:
    text = DOCUMENT.read_text(encoding='utf-8')
    stale = text.replace('| yes |', '| maybe |')
    assert stale != text
    assert rewrite(stale) == text
