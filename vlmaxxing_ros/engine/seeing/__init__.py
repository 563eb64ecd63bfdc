# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Seeing: an image on the block grid, and which of its blocks changed.  numpy and OpenCV only."""
