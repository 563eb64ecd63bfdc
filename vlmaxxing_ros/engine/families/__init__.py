# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One file per model family: the only place that knows a model's internals."""

from vlmaxxing_ros.engine.families.base import Capabilities, Family, Features, Rows
from vlmaxxing_ros.engine.families.loading import load_family, make_family

__all__ = ['Capabilities', 'Family', 'Features', 'Rows', 'load_family', 'make_family']
