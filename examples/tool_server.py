# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A robot's eyes for agents: a tool server that speaks the Model Context Protocol over stdio.

An agent's configuration names the command `python examples/tool_server.py`.  The tools' names,
arguments and docstrings are what the agent's model reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from vlmaxxing_msgs.msg import Answer
from vlmaxxing_ros.client import AsyncClient, Refused

PATIENCE = 30.0  # s for the first answer


@dataclass
class Seen:
    """What a camera shows, and how old that is."""

    answer: str
    probability: float | None
    evidence_age_seconds: float
    blocks_not_accounted_for: int


@dataclass
class Told:
    """What a watched question's answer was and is; nothing before: it did not change."""

    changed: bool
    before: str
    now: str


@asynccontextmanager
async def connected(_: MCPServer[AsyncClient]) -> AsyncIterator[AsyncClient]:
    """One client for all tools, as long as the server runs."""
    async with AsyncClient() as client:
        yield client


server = MCPServer('vlmaxxing', lifespan=connected)
Here = Context[AsyncClient, Any]


async def node(context: Here) -> AsyncClient:
    """The client, once the node is there."""
    client = context.request_context.lifespan_context
    if not await client.wait(10.0):
        raise ToolError('the robot does not answer: is its node /vlmaxxing running?')
    return client


@server.tool()
async def list_cameras(context: Here) -> list[str]:
    """The names of the robot's cameras; the first one is looked at where none is named."""
    return await (await node(context)).cameras()


@server.tool()
async def ask(
    question: str,
    context: Here,
    choices: list[str] | None = None,
    camera: str = '',
    deadline_seconds: float = 30.0,
) -> Seen:
    """Ask what a camera shows now, or what has changed in the last seconds.

    With choices the answer is one of them, and how probable it is is said.
    """
    client = await node(context)
    answer = await client.ask(
        question, choices=choices or [], camera=camera, deadline=deadline_seconds
    )
    if answer.status != Answer.OK:
        raise ToolError(answer.status_text)
    return Seen(
        answer=answer.answer,
        probability=max(answer.choice_probabilities, default=None),
        evidence_age_seconds=round(answer.evidence_age, 3),
        blocks_not_accounted_for=answer.blocks_owed,
    )


@server.tool()
async def watch(
    question: str, context: Here, choices: list[str], camera: str = '', seconds: float = 60.0
) -> Told:
    """Wait until the answer to a question changes, for so many seconds at most."""
    client = await node(context)
    try:
        async with client.watch(question, choices=choices, camera=camera) as events:
            event = await asyncio.wait_for(anext(events), PATIENCE)
            if not event.from_answer:  # it is the first answer
                with suppress(asyncio.TimeoutError):
                    event = await asyncio.wait_for(anext(events), seconds)
    except Refused as error:
        raise ToolError(str(error)) from error
    except asyncio.TimeoutError as error:
        raise ToolError('nothing is known yet: does the camera publish?') from error
    return Told(bool(event.from_answer), event.from_answer, event.to_answer)


if __name__ == '__main__':
    server.run()
