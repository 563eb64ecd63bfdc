# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Real architectures with random weights, for tests and benchmarks: exactness and speed."""
