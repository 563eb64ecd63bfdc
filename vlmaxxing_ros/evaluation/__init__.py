# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Recordings and questions in, a paired report out; see docs/evaluation.md."""
