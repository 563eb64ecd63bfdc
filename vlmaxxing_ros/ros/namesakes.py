# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Notices another node of the same name: services and topics then have two ends, unnoticed."""

from __future__ import annotations

from rclpy.node import Node


def namesakes(node: Node) -> str:
    """What is to be said about nodes that are called as this one is; empty: there are none."""
    own = (node.get_name(), node.get_namespace())
    count = node.get_node_names_and_namespaces().count(own)
    if count < 2:
        return ''
    return (
        f'{count} nodes are called {node.get_fully_qualified_name()}: a question goes to all of '
        'them, and what they publish is mixed; start one with --ros-args -r __node:=another, or in '
        'a namespace (one that was killed counts until its lease ends, after 10 to 20 s)'
    )
