# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A program of its own: fetches files of a hub repository, and says where they are.

    python hub_child.py '{"repo_id": ..., "revision": ..., "allow_patterns": [...]}'

Run by path, with what `snapshot_download` takes; ends when its standard input does, so that it does
not outlive whoever started it (`hub.py`).
"""

from __future__ import annotations

import json
import os
import sys
import threading

from huggingface_hub import snapshot_download


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Fetch, and print a line of JSON: the folder, or what went wrong."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        result = {'folder': snapshot_download(**json.loads(sys.argv[1]))}
    except Exception as error:  # the hub client has its own zoo of network errors
        result = {'error': f'{type(error).__name__}: {error}'}
    print(json.dumps(result), flush=True)
    os._exit(0)  # downloads on other threads may hang


if __name__ == '__main__':
    main()
