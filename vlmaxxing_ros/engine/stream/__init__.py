# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One camera's stream: frames and questions in, answers and budgets out."""
