# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What can go wrong, by name.  Each error says what to do; the ROS side maps it to a status."""

from __future__ import annotations


class EngineError(Exception):
    """Base of every error that the engine raises on purpose."""


class ModelError(EngineError):
    """A model cannot be loaded, or failed while running."""


class InvalidRequest(EngineError):
    """A question that cannot be asked as it is: empty, too long, bad choices or schema."""


class InvalidFrame(EngineError):
    """An image that cannot be used: wrong shape, wrong type, zero size."""


class NoEvidence(EngineError):
    """No frame has been admitted yet, or none as early as asked for."""


class Unsupported(EngineError):
    """The model's family cannot do what was asked; see `family.capabilities`."""
