# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Ask a video VLM about a live camera stream, paying only for what changed.

`engine` knows nothing of ROS; `ros` is the only package that imports rclpy; `evaluation` and
`demo` drive the same engine from recordings and from a renderer.
"""

from __future__ import annotations

import os

__version__ = '0.1.0'

# mlx-vlm runs without PyTorch; transformers need not say so at every start.
os.environ.setdefault('TRANSFORMERS_NO_ADVISORY_WARNINGS', '1')
