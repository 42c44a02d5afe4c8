"""The page follows the same rules as the Python client, message for message."""

import asyncio
import json
from random import Random
from typing import Any

import pytest
from aiohttp import web
from bench.ports import free_port
from tests.browser.chromium import chromium, tab
from tests.e2e.machine import SAMPLES

from steno_client.domain.conversation import Conversation
from steno_client.domain.messages import parse
from steno_client.domain.outbox import Chunk, Outbox
from steno_client.domain.policy import Policy
from steno_client.errors import SessionError
from steno_common.health import listening
from steno_gateway.console import add_console_routes

STORIES = 2_000
STEPS = 60
RUN = """(async () => {
  const { Conversation } = await import("/console/conversation.js");
  const kind = (event) => event ? event.type : null;
  const step = (conversation, now, [name, value]) => {
    const { outbox } = conversation;
    switch (name) {
      case "put": try { return outbox.put(value); } catch (error) { return error.code; }
      case "order": outbox.order(value); return null;
      case "lost": outbox.detached(); return conversation.backoff.delay(value);
      case "stalled": return conversation.stalled(now);
      case "take": {
        const item = outbox.take();
        return item && (item.action ? [item.action, item.behind] : [item.number, item.audio]);
      }
      default: {
        const { event, hold = null, leave = null, failure } = conversation.heard(value, now);
        return [kind(event), hold, leave, failure ? failure.code : null];
      }
    }
  };
  return STORIES.map((story, number) => {
    const conversation = new Conversation();
    conversation.begin(number % 2 ? "first" : null);
    return story.map((action, at) => {
      const { outbox } = conversation;
      const given = step(conversation, at * 7, action);
      return [given, outbox.stored, outbox.done, outbox.last, outbox.unanswered,
              conversation.lastEvent, conversation.resumeFrom];
    });
  });
})()"""
EVENTS = {
    "Partial": "server:transcription_partial", "Final": "server:transcription_final",
    "Utterance": "server:utterance", "Status": "server:status", "Warned": "server:warning",
    "Completed": "server:session_completed",
}  # fmt: skip
RESULT = {"result_id": "r", "session_id": "s", "sequence_number": 1, "text_content": "a",
          "confidence": 1.0, "start_time": 0.0, "end_time": 1.0, "language": None,
          "words": []}  # fmt: skip
ERRORS = ("sequence_gap", "backlog_full", "rate_limited", "illegal_transition", "invalid_message",
          "duration_limit", "session_finished", "store_unavailable")  # fmt: skip

Action = tuple[str, Any]

pytestmark = pytest.mark.skipif(chromium() is None, reason="no Chromium: apt install chromium")


def message(random: Random) -> dict[str, Any]:  # noqa: PLR0911 - one for each kind
    """Invent something that a server could say, sensible or not."""
    near = random.randrange(12)
    match random.randrange(10):
        case 0:
            done = random.randrange(near + 1)
            status = random.choice(["connected", "recording", "paused", "paused", "finalizing"])
            return {"type": "server:session_created", "session_id": "s", "status": status,
                    "epoch": random.choice("aaaaaab"), "sequence_number": near, "done": done,
                    "credit": random.randrange(8), "last_event": random.randrange(9),
                    "resend_from": near + 1, "container": False,
                    "checkpoints": random.random() < 0.9}  # fmt: skip
        case 1 | 2 | 3:
            done = random.randrange(near + 1)
            return {"type": "server:ack", "sequence_number": near, "done": done,
                    "credit": random.randrange(9)}  # fmt: skip
        case 4:
            error = {"type": "server:error", "code": random.choice(ERRORS), "message": "m",
                     "retryable": random.random() < 0.8}  # fmt: skip
            if random.random() < 0.7:
                error["resend_from"] = near + 1
            if random.random() < 0.3:
                error["retry_after_ms"] = 250
            return error
        case 5:
            return {"type": "server:transcription_partial", "stability": 0.5, **placed(random)}
        case 6:
            return {"type": "server:transcription_final", "event": near, **placed(random)}
        case 7:
            return {"type": "server:utterance", "event": near, "index": random.randrange(4),
                    **placed(random)}  # fmt: skip
        case 8:
            return {"type": "server:checkpoint", "done": random.randrange(near + 1),
                    "last_event": random.randrange(near + 1), "state": "s",
                    "log": random.choice(["", "l"])}  # fmt: skip
        case _:
            return random.choice([
                {"type": "server:status", "event": near, "status": "recording"},
                {"type": "server:status", "status": "goaway", "in_ms": 1500},
                {"type": "server:warning", "event": near, "code": "c", "message": "m"},
                {"type": "server:pong", "timestamp": 1},
                {"type": "server:unheard_of"},
            ])  # fmt: skip


def placed(random: Random) -> dict[str, Any]:
    """Give a result somewhere in the audio."""
    start = random.randrange(9)
    return RESULT | {"start_time": float(start), "end_time": start + 1.0}


def story(random: Random) -> list[Action]:
    """Invent what happens to a session."""
    begin = {"type": "server:session_created", "session_id": "s", "status": "connected",
             "epoch": "a", "sequence_number": 0, "done": 0, "credit": 5, "last_event": 0,
             "resend_from": 1, "container": False, "checkpoints": True}  # fmt: skip
    actions: list[Action] = [("hear", begin)] if random.random() < 0.8 else []
    for _ in range(STEPS):
        kinds: list[Action] = [
            ("put", "x"), ("take", None), ("hear", message(random)), ("stalled", None),
            ("order", random.choice(["start", "pause", "resume", "resume", "finalize", "stop"])),
            ("lost", random.choice([{}, {"told": 0}, {"atLeast": 5}])),
        ]  # fmt: skip
        actions += random.choices(kinds, (20, 30, 20, 3, 7, 2))
    return actions


def expected(actions: list[Action], state: str | None) -> list[Any]:
    """Give what the Python client makes of a story."""
    conversation = Conversation(Policy(), container=False, state=state)
    outbox = conversation.outbox
    return [
        [step(conversation, at * 7.0, action), outbox.stored, outbox.done, outbox.last,
         outbox.unanswered, conversation.last_event, conversation.resume_from]
        for at, action in enumerate(actions)
    ]  # fmt: skip


def step(conversation: Conversation, now: float, action: Action) -> Any:
    outbox = conversation.outbox
    match action:
        case "put", value:
            return put(outbox, value)
        case "order", value:
            return outbox.order(value)
        case "lost", value:
            outbox.detached()
            at_least = value.get("atLeast")
            return conversation.backoff.delay(told=value.get("told"), at_least=at_least)
        case "stalled", _:
            return conversation.stalled(now)
        case "take", _:
            return taken(outbox)
    return heard(conversation, now, action[1])


def put(outbox: Outbox, audio: Any) -> int | str:
    try:
        return outbox.put(audio)
    except SessionError as error:
        return error.code


def taken(outbox: Outbox) -> list[Any] | None:
    item = outbox.take()
    if item is None:
        return None
    if isinstance(item, Chunk):
        return [item.number, item.audio]
    return [item.action, item.behind]


def heard(conversation: Conversation, now: float, value: dict[str, Any]) -> list[Any]:
    message = parse(json.dumps(value))
    if message is None:
        return [None] * 4
    reaction = conversation.heard(message, now)
    kind = None if reaction.event is None else EVENTS[type(reaction.event).__name__]
    failure = None if reaction.failure is None else reaction.failure.code
    return [kind, reaction.hold, reaction.leave, failure]


async def test_the_page_does_what_the_python_client_does() -> None:
    random = Random(20)
    stories = [story(random) for _ in range(STORIES)]
    wanted = await asyncio.to_thread(
        lambda: [
            expected(actions, "first" if number % 2 else None)
            for number, actions in enumerate(stories)
        ]
    )
    app, port = web.Application(), free_port()
    add_console_routes(app)
    async with (
        listening(app, "127.0.0.1", port),
        tab(SAMPLES / "hello.wav") as console,
    ):
        await console.open(f"http://127.0.0.1:{port}/console/icon.svg")
        found = await console.evaluate(RUN.replace("STORIES", json.dumps(stories)))
    for actions, given, right in zip(stories, found, wanted, strict=True):
        for number, (one, other) in enumerate(zip(given, right, strict=True)):
            assert one == other, actions[: number + 1]
    things_sent = [row[0] for rows in wanted for row in rows if isinstance(row[0], list)]
    assert len(things_sent) > 10_000  # the stories are not all dull
