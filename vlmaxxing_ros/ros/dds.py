# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The Fast DDS profile without which large best-effort images are lost between processes.

Knows environment variables and where the profile is installed; nothing of nodes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')  # Jazzy, Kilted


def profile() -> Path | None:
    """The shipped profile: as installed, or in the source tree; None if it is in neither."""
    places = [Path(__file__).resolve().parents[2]]
    # Not found: run from the source tree; OSError: AMENT_PREFIX_PATH is not set.
    with suppress(PackageNotFoundError, OSError):
        places.insert(0, Path(get_package_share_directory('vlmaxxing_ros')))
    files = [place / 'config' / 'fastdds_shm.xml' for place in places]
    return next((file for file in files if file.is_file()), None)


def use_profile() -> None:
    """Have Fast DDS read the profile in this process, unless the user has chosen one.

    Takes effect in the participants made afterwards: call it before `rclpy.init`.  Other
    middlewares do not read these variables.
    """
    file = profile()
    if file is not None and not any(os.environ.get(name) for name in VARIABLES):
        for name in VARIABLES:
            os.environ[name] = str(file)
