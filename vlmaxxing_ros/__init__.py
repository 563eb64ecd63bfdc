# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Ask a video VLM about a live camera stream, paying only for what changed."""

import os

# mlx-vlm runs without PyTorch; transformers need not say so at every start.
os.environ.setdefault('TRANSFORMERS_NO_ADVISORY_WARNINGS', '1')
