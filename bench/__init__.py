# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The measurements behind the README's table; `python -m bench`."""
