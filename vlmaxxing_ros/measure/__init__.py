# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What this machine computes rightly, and how fast: `vlmaxxing_doctor --measure`.

How a machine is verified that we do not have.  Knows families and frames; nothing of ROS.
"""
