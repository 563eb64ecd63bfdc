# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Install the ament_python package: modules, executables, resource index, launch and config."""

from __future__ import annotations

from glob import glob

from setuptools import find_packages, setup

package_name = 'vlmaxxing_ros'

setup(
    name=package_name,
    version='0.1.0',
    description='Ask a video VLM about a live camera stream, paying only for what changed.',
    author='The vlmaxxing_ros authors',
    maintainer='The vlmaxxing_ros authors',
    maintainer_email='maintainers@vlmaxxing-ros.example',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=[package_name, f'{package_name}.*']),
    package_data={
        package_name: ['py.typed'],
        f'{package_name}.demo': ['nano/*'],
        f'{package_name}.evaluation': ['*.j2'],
    },
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{package_name}']),
        (f'share/{package_name}', ['package.xml']),
        (f'share/{package_name}/config', glob('config/*')),
        (f'share/{package_name}/launch', glob('launch/*.launch.*')),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest'], 'video': ['av']},
    zip_safe=True,
    entry_points={
        'console_scripts': [
            'bag_player = vlmaxxing_ros.commands:bag_player',
            'video_player = vlmaxxing_ros.commands:video_player',
            'vlmaxxing_demo = vlmaxxing_ros.demo.run:main',
            'vlmaxxing_doctor = vlmaxxing_ros.commands:doctor',
            'vlmaxxing_evaluate = vlmaxxing_ros.commands:evaluate',
            'vlmaxxing_node = vlmaxxing_ros.commands:node',
            'vlmaxxing_top = vlmaxxing_ros.commands:top',
        ],
    },
)
