# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The clients, and the examples built on them, beside one running node.

Many ask and watch at once, and who gives up leaves nothing.  Examples run as a person starts them.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from integration.gripper import CHOICES, QUESTION, Pictures
from integration.ros_process import Peer, TestCamera, questions_waiting, wait_until
from sensor_msgs.msg import Image

from vlmaxxing_msgs.msg import Answer, WatchSettings
from vlmaxxing_msgs.srv import Watch
from vlmaxxing_ros.client import AsyncClient, Client, Disconnected, Refused
from vlmaxxing_ros.demo.recordings import write_recording
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_camera import QUIET
from vlmaxxing_ros.demo.tabletop_questions import Scene

EXAMPLES = Path(__file__).resolve().parents[2] / 'examples'

WAIT = 60.0  # s, far more than anything here takes
LONG = {'deadline': 3600.0, 'max_evidence_age': 1e-6}  # no image is as young: it waits for an hour

pytestmark = pytest.mark.usefixtures('lasting_peer')


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], model: str) -> None:
    start_node(
        model=model,
        cameras='[camera, rear]',
        max_watches=8,
        watch_duty=1.0,
        max_waiting_questions=64,
        diagnostics_period=0.2,
    )


@pytest.fixture
def camera(peer: Peer, pictures: Pictures) -> TestCamera:
    """A camera that has shown the open gripper."""
    camera = TestCamera.of(peer, Image)
    camera.show(pictures.open)
    return camera


@pytest.fixture(scope='module')
def client() -> Iterator[Client]:
    """One for all tests that do not close it."""
    with Client() as client:
        assert client.wait(WAIT)
        yield client


def ids(peer: Peer) -> list[str]:
    """The watches that the node keeps."""
    states = peer.call(Watch, '/vlmaxxing/watch', Watch.Request()).watches
    return [state.settings.id for state in states]


def waiting(peer: Peer, count: int) -> None:
    """Wait until so many questions wait."""
    wait_until(lambda: questions_waiting(peer) == str(count), what=f'{count} questions wait')


def play(scene: Callable[[AsyncClient], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine with a client that the node knows."""

    async def run() -> None:
        async with AsyncClient() as client:
            assert await client.wait(WAIT)
            await scene(client)

    asyncio.run(run())


def test_it_knows_the_cameras(client: Client) -> None:
    assert client.cameras() == ['camera', 'rear']


def test_both_ways_to_ask_give_one_answer(client: Client, camera: TestCamera) -> None:
    tokens: list[str] = []
    told = client.ask(QUESTION, on_token=lambda feedback: tokens.append(feedback.token_text))
    asked = client.query(QUESTION)
    assert told.status == asked.status == Answer.OK
    assert told.answer == asked.answer == ''.join(tokens)


def test_a_watch_tells_the_answer_and_its_changes_and_ends_with_its_block(
    client: Client, camera: TestCamera, peer: Peer, pictures: Pictures
) -> None:
    with client.watch(QUESTION, choices=CHOICES) as events:
        assert ids(peer) == [events.id]
        assert next(events).to_answer == 'open'
        with pytest.raises(TimeoutError, match='nothing has changed'):
            events.get(0.0)
        camera.show(pictures.closed)
        event = next(events)
        assert (event.from_answer, event.to_answer) == ('open', 'closed')
    assert ids(peer) == []
    assert list(events) == [], 'it has ended'
    with pytest.raises(Disconnected):
        events.get(0.0)


def test_a_loop_that_is_left_ends_its_watch(client: Client, camera: TestCamera, peer: Peer) -> None:
    for event in client.watch(QUESTION, choices=CHOICES):
        assert event.to_answer == 'open'
        break
    wait_until(lambda: ids(peer) == [], what='the watch has ended')


def test_a_watch_that_was_there_before_is_listened_to_and_stays(
    client: Client, camera: TestCamera, peer: Peer
) -> None:
    there = WatchSettings(id='there', question=QUESTION, choices=CHOICES)
    request = Watch.Request(operation=Watch.Request.ADD, watch=there)
    assert peer.call(Watch, '/vlmaxxing/watch', request).status == Watch.Response.OK
    with client.watch(QUESTION, id='there', choices=CHOICES) as events:
        assert next(events).to_answer == 'open'
    assert ids(peer) == ['there']
    with pytest.raises(Refused, match='remove it first') as refused:
        client.watch('another?', id='there')
    assert refused.value.status == Watch.Response.EXISTS
    request.operation = Watch.Request.REMOVE
    peer.call(Watch, '/vlmaxxing/watch', request)


def test_who_waits_no_longer_cancels_the_question(
    client: Client, camera: TestCamera, peer: Peer
) -> None:
    with pytest.raises(TimeoutError):
        client.ask(QUESTION, timeout=0.5, **LONG)
    pending = client.begin(QUESTION, **LONG)
    waiting(peer, 1)
    assert not pending.done
    pending.cancel()
    assert pending.result().status == Answer.CANCELLED
    waiting(peer, 0)


def test_a_client_that_closes_ends_what_was_begun_with_it(camera: TestCamera, peer: Peer) -> None:
    told: list[str] = []
    with Client() as closing, ThreadPoolExecutor() as threads:
        assert closing.wait(WAIT)
        events = closing.watch(QUESTION, choices=CHOICES)
        pending = threads.submit(closing.ask, QUESTION, **LONG)
        listening = threading.Thread(target=lambda: told.extend(e.to_answer for e in events))
        listening.start()
        wait_until(lambda: told == ['open'], what='the first answer')
        waiting(peer, 1)
        closing.close()
        listening.join(WAIT)
        assert pending.result(WAIT).status == Answer.CANCELLED
    assert ids(peer) == []
    waiting(peer, 0)


def test_many_tasks_ask_and_watch_at_once(
    camera: TestCamera, peer: Peer, pictures: Pictures
) -> None:
    async def follow(client: AsyncClient, told: list[str]) -> None:
        async with client.watch(QUESTION, choices=CHOICES) as events:
            async for event in events:
                told.append(event.to_answer)
                if event.to_answer == 'closed':
                    return

    async def scene(client: AsyncClient) -> None:
        told: list[list[str]] = [[] for _ in range(4)]
        tasks = [asyncio.create_task(follow(client, each)) for each in told]
        asked = await asyncio.gather(*(client.ask(QUESTION, choices=CHOICES) for _ in range(40)))
        assert [answer.answer for answer in asked] == ['open'] * 40
        while not all(told):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(camera.show, pictures.closed)
        await asyncio.wait_for(asyncio.gather(*tasks), WAIT)
        assert told == [['open', 'closed']] * 4

    play(scene)
    assert ids(peer) == []


def test_a_task_that_is_cancelled_cancels_its_question_and_ends_its_watch(
    camera: TestCamera, peer: Peer
) -> None:
    async def follow(client: AsyncClient, told: list[str]) -> None:
        async with client.watch(QUESTION, choices=CHOICES) as events:
            async for event in events:
                told.append(event.to_answer)

    async def scene(client: AsyncClient) -> None:
        told: list[str] = []
        following = asyncio.create_task(follow(client, told))
        asking = asyncio.create_task(client.ask(QUESTION, **LONG))
        while not told:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(waiting, peer, 1)
        for task in (following, asking):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await asyncio.to_thread(ids, peer) == []
        await asyncio.to_thread(waiting, peer, 0)

    play(scene)


def test_who_gives_up_waiting_for_an_event_keeps_the_watch(
    camera: TestCamera, pictures: Pictures
) -> None:
    async def scene(client: AsyncClient) -> None:
        events = client.watch(QUESTION, choices=CHOICES)
        assert (await anext(events)).to_answer == 'open'
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(events), 0.05)
        await asyncio.to_thread(camera.show, pictures.closed)
        assert (await anext(events)).to_answer == 'closed'
        await events.aclose()
        assert [event async for event in events] == []

    play(scene)


def test_tokens_are_told_in_the_loop_and_a_refusal_is_raised_to_its_task(
    camera: TestCamera,
) -> None:
    async def scene(client: AsyncClient) -> None:
        threads: set[threading.Thread] = set()
        tokens: list[str] = []

        def told(feedback: Any) -> None:
            threads.add(threading.current_thread())
            tokens.append(feedback.token_text)

        answer = await client.ask(QUESTION, on_token=told)
        assert answer.answer == ''.join(tokens)
        assert threads == {threading.current_thread()}
        with pytest.raises(Refused, match='there is camera, rear'):
            async for _ in client.watch(QUESTION, camera='front'):
                pass
        assert await client.cameras() == ['camera', 'rear']

    play(scene)


def load(name: str) -> ModuleType:
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(f'example_{name}', EXAMPLES / f'{name}.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # annotations are looked up there
    spec.loader.exec_module(module)
    return module


def test_the_planner_decides_by_what_it_sees(
    camera: TestCamera, pictures: Pictures, spawn: Callable[..., Any]
) -> None:
    camera.show(pictures.open)
    process = spawn(sys.executable, EXAMPLES / 'planner.py')
    assert process.wait(WAIT) == 0, process.output
    decided, described = process.output.splitlines()
    assert decided == 'pick a block'
    assert 'red' in described


def test_a_behaviour_tree_waits_for_the_condition_and_halts_what_it_has_begun(
    camera: TestCamera, peer: Peer, pictures: Pictures
) -> None:
    pytest.importorskip('py_trees', reason='py_trees comes from requirements/examples.in')
    from py_trees.common import Status

    behaviours = load('behaviours')
    camera.show(pictures.closed)
    with Client() as client:
        assert client.wait(WAIT)
        tree = behaviours.make_tree(client)
        tree.setup()

        def ticked(status: Status) -> bool:
            tree.tick()
            return tree.root.status is status

        wait_until(lambda: ticked(Status.FAILURE), what='it is known that the gripper is closed')
        camera.show(pictures.open)
        wait_until(lambda: ticked(Status.SUCCESS), what='the description')
        assert tree.root.children[-1].feedback_message.startswith('red')

        never = behaviours.Look('never', client, QUESTION, max_evidence_age=1e-6, deadline=3600.0)
        never.tick_once()
        assert never.status is Status.RUNNING
        waiting(peer, 1)
        never.stop(Status.INVALID)
        waiting(peer, 0)
        tree.shutdown()
        assert peer.call(Watch, '/vlmaxxing/watch', Watch.Request()).watches == []


def test_an_agent_asks_and_watches_through_the_tool_server(
    camera: TestCamera, peer: Peer, pictures: Pictures
) -> None:
    mcp = pytest.importorskip('mcp', reason='mcp comes from requirements/examples.in')
    server = mcp.StdioServerParameters(
        command=sys.executable, args=[str(EXAMPLES / 'tool_server.py')], env=dict(os.environ)
    )
    gripper = {'question': QUESTION, 'choices': CHOICES}

    async def agent() -> None:
        async with mcp.Client(server) as client:
            tools = (await client.list_tools()).tools
            assert [tool.name for tool in tools] == ['list_cameras', 'ask', 'watch']
            assert all(tool.description for tool in tools)

            async def call(name: str, **arguments: Any) -> Any:
                result = await client.call_tool(name, arguments)
                assert not result.is_error, result.content
                return result.structured_content

            assert await call('list_cameras') == {'result': ['camera', 'rear']}
            seen = await call('ask', **gripper)
            assert (seen['answer'], seen['blocks_not_accounted_for']) == ('open', 0)
            assert seen['probability'] > 0.9
            failed = await client.call_tool('ask', {'question': '', 'camera': ''})
            assert failed.is_error
            assert 'the question is empty' in failed.content[0].text
            watching = asyncio.create_task(call('watch', **gripper, seconds=WAIT))
            while not await asyncio.to_thread(watched):
                await asyncio.sleep(0.05)
            await asyncio.to_thread(camera.show, pictures.closed)
            assert await watching == {'changed': True, 'before': 'open', 'now': 'closed'}
            told = await call('watch', **gripper, seconds=0.1)
            assert told == {'changed': False, 'before': '', 'now': 'closed'}

    def watched() -> bool:
        """Whether the agent's watch has had its first answer."""
        states = peer.call(Watch, '/vlmaxxing/watch', Watch.Request()).watches
        return any(state.answers for state in states)

    camera.show(pictures.open)
    asyncio.run(agent())


def test_a_recording_becomes_answers(spawn: Callable[..., Any], tmp_path: Path) -> None:
    world = Tabletop(seed=42, duration=2.0, pause=0.5, camera=QUIET)
    bag = write_recording(tmp_path / 'bag', world, fps=5.0)
    question = 'What colors are the blocks?'
    process = spawn(sys.executable, EXAMPLES / 'bag_answers.py', bag, question, '--every', '0.8')
    assert process.wait(WAIT) == 0, process.output
    said = [json.loads(line) for line in process.output.splitlines()]
    assert [line['at'] for line in said] == [0.0, 0.8, 1.6]
    truths = [Scene([world.state(line['at'])]).answer('colors') for line in said]
    assert len(set(truths)) == 3
    assert [line['answer'] for line in said] == truths
