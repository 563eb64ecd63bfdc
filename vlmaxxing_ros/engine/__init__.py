# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The streaming engine: frames and questions in, answers and budgets out.  Knows nothing of ROS."""
