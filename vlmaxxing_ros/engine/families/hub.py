# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Files from the hub, fetched by a child that can be killed when the server falls silent.

Knows how to run the child, and where the hub's client keeps its files; knows nothing of models.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from huggingface_hub import constants

from vlmaxxing_ros.engine.errors import ModelError

PATIENCE = 120.0  # s without a byte
_CHILD = Path(__file__).with_name('hub_child.py')


def fetch(repository: str, revision: str, patterns: list[str]) -> Path:
    """The folder with a repository's files, as far as they match a pattern.

    Args:
        repository: a hub id.
        revision: branch, tag or commit.
        patterns: of file names.

    Raises:
        ModelError: there is no such thing, or nothing has come for `PATIENCE` seconds.
    """
    job = {'repo_id': repository, 'revision': revision, 'allow_patterns': patterns}
    child = subprocess.Popen(
        [sys.executable, str(_CHILD), json.dumps(job)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONSAFEPATH': '1'},
    )
    try:
        _wait(child, repository)
        assert child.stdout is not None
        result = json.loads(child.stdout.read() or '{}')
    finally:
        child.kill()
        child.communicate()
    if 'folder' not in result:
        raise ModelError(' '.join(str(result.get('error', 'the download ended early')).split()))
    return Path(result['folder'])


def _wait(child: subprocess.Popen[str], repository: str) -> None:
    """Until the child ends, or nothing more comes."""
    cache = Path(os.environ.get('HF_HUB_CACHE') or constants.HF_HUB_CACHE)
    folder = cache / f'models--{repository.replace("/", "--")}'
    held, since = -1, time.monotonic()
    while True:
        try:
            child.wait(0.2)
            return
        except subprocess.TimeoutExpired:
            now = _bytes(folder)
        if now != held:
            held, since = now, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            raise ModelError(f'the hub has sent nothing for {PATIENCE:g} s')


def _bytes(folder: Path) -> int:
    """Bytes in a folder; files may come and go meanwhile."""
    total = 0
    for path in folder.rglob('*'):
        try:
            total += path.lstat().st_size
        except OSError:
            continue
    return total
