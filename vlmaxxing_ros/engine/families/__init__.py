# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One file per model family: the only place that knows a model's internals."""
