# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Arms: ways to look at the same stream and to answer the same questions."""

from vlmaxxing_ros.evaluation.arms.base import Admission, Arm, Reply
from vlmaxxing_ros.evaluation.arms.registry import DEFAULT_ARMS, ORACLE, REFERENCE, make_arm

__all__ = ['DEFAULT_ARMS', 'ORACLE', 'REFERENCE', 'Admission', 'Arm', 'Reply', 'make_arm']
