# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What can go wrong in an evaluation, by name.  Each text says what to do."""

from __future__ import annotations


class EvaluationError(Exception):
    """Base of every error that an evaluation raises on purpose."""


class QuestionsError(EvaluationError):
    """A questions file that cannot be used."""


class RecordingError(EvaluationError):
    """A recording that cannot be read, or that does not hold what was asked for."""


class ArmUnavailable(EvaluationError):
    """An arm that the engine or the model cannot run; the text is shown in the report."""


class GateError(EvaluationError):
    """A gate that names no metric or gives no limit."""
