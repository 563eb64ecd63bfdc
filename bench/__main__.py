# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Run the benchmark: `python -m bench [--scale cpu|gpu] [--quick] [--no-ros]`."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path

import mlx.core as mx

from bench import answers, frames, transport
from bench.page import table, update_readme, write_page
from bench.scale import CPU, GPU
from vlmaxxing_ros.random_models.families import random_family

RESULTS = Path(__file__).parents[1] / 'docs' / 'results'


def main() -> int:
    """Measure, write JSON and page; the exit status is 0 even where a reach is missed."""
    on_gpu = mx.default_device() != mx.Device(mx.cpu)
    parser = argparse.ArgumentParser(prog='python -m bench')
    parser.add_argument('--scale', choices=('cpu', 'gpu'), default='gpu' if on_gpu else 'cpu')
    parser.add_argument('--quick', action='store_true', help='few rounds, to try it out')
    parser.add_argument('--no-ros', action='store_true', help='leave out what needs rclpy')
    parser.add_argument('--out', type=Path, default=RESULTS)
    options = parser.parse_args()
    scale = CPU if options.scale == 'cpu' else GPU
    if options.quick:
        scale = replace(scale, rounds=2, history=4, stream=500)
    started = time.time()
    family = random_family('qwen2_5_vl', scale.model, bits=scale.bits)
    rows = [*answers.rows(family, scale), *frames.rows(family, scale)]
    name = 'bench' if options.scale == 'cpu' else 'gpu'
    results = {
        'device': _device(),
        'command': f'python -m {" ".join(["bench", *sys.argv[1:]])}',
        'date': time.strftime('%Y-%m-%d'),
        'minutes': round((time.time() - started) / 60, 1),
        'rows': [row.asdict() for row in rows],
        'transport': None if options.no_ros else transport.measure(),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f'{name}.json').write_text(json.dumps(results, indent=2) + '\n')
    write_page(options.out, name, results)
    if options.out == RESULTS and name == 'bench':
        update_readme(RESULTS.parents[1] / 'README.md', results)
    print(table(results))
    if results['transport']:
        print(results['transport'])
    return 0


def _device() -> str:
    if mx.default_device() == mx.Device(mx.cpu):
        return f'{platform.processor() or platform.machine()} CPU'
    return str(mx.device_info().get('device_name', 'GPU'))


if __name__ == '__main__':
    sys.exit(main())
