# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Ask a running `vlmaxxing` node from Python, blocking or with asyncio, and be told when.

Knows messages and rclpy; knows nothing of the engine.
"""

from vlmaxxing_ros.client.asynchronous import AsyncClient, AsyncEvents
from vlmaxxing_ros.client.blocking import Client, Events
from vlmaxxing_ros.client.connection import Disconnected
from vlmaxxing_ros.client.pending_answer import PendingAnswer
from vlmaxxing_ros.client.subscribed_watch import Refused

__all__ = [
    'AsyncClient',
    'AsyncEvents',
    'Client',
    'Disconnected',
    'Events',
    'PendingAnswer',
    'Refused',
]
