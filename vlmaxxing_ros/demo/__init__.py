# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The synthetic tabletop, the questions about it, and the built-in nano model trained on both."""
