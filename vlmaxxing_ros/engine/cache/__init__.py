# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The cache: what it holds and why, forks, generations, compression, audits."""
