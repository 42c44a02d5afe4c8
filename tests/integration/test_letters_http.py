"""Destinations that a session names, dead letters over HTTP."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.gateway_support import SESSIONS, Gateway, running
from tests.redis_servers import RedisServer

from steno_common.destinations import Installed
from steno_common.letters import Letter
from steno_common.messages import Destination, Final, Session
from steno_common.store.deliveries import DeliveryStore, Place, Standing
from steno_common.store.letters import LetterStore, Wanted

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
URL = "https://hooks.example.com/steno?key=canary"
HOOK = {"kind": "webhook", "url": URL, "secret": SECRET, "events": ["final", "completed"]}
LETTERS = "/api/letters"


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(redis_server, tmp_path) as gateway:
        yield gateway


async def asked(gateway: Gateway, *destinations: object) -> tuple[int, dict[str, Any]]:
    body = {"destinations": destinations}
    async with gateway.http.post(SESSIONS, json=body) as answer:
        return answer.status, await answer.json()


async def destinations(gateway: Gateway, session_id: str) -> tuple[Destination, ...]:
    return (await gateway.snapshot(session_id)).session.destinations


async def test_a_session_is_delivered_where_its_request_says(gateway: Gateway) -> None:
    relay = {"kind": "relay", "url": "wss://relay.example.com/"}
    _, fields = await asked(gateway, HOOK, relay, relay | {"answers": True})
    assert await destinations(gateway, fields["session_id"]) == (
        Destination("hook-1", "webhook", URL, SECRET, ("final", "completed")),
        Destination("relay-2", "relay", "wss://relay.example.com/"),
        Destination("relay-3", "relay", "wss://relay.example.com/", answers=True),
    )
    assert "canary" not in str(fields)
    assert SECRET not in str(fields)


async def test_every_session_is_delivered_to_what_the_installation_has(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    installed = Installed(webhook_url="https://a/", translation_pipeline_function_name="f")
    async with running(redis_server, tmp_path, installed=installed) as gateway:
        session_id = await gateway.create(destinations=[HOOK])
        assert [each.name for each in await destinations(gateway, session_id)] == [
            "webhook", "pipeline", "hook-1",
        ]  # fmt: skip
        assert (await destinations(gateway, session_id))[0] == Destination("webhook", "webhook")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"url": "http://hooks.example.com/"}, "invalid_destination"),
        ({"url": "https://user:word@hooks.example.com/"}, "invalid_destination"),
        ({"url": "https:///"}, "invalid_destination"),
        ({"secret": "hush"}, "invalid_destination"),
        ({"events": ["partial"]}, "invalid_destination"),
        ({"kind": "relay", "events": ["utterance", "final"]}, "invalid_destination"),
        ({"kind": "pipeline", "events": ["translation"]}, "invalid_destination"),
        ({"answers": True}, "invalid_destination"),
        ({"kind": "relay", "events": [], "answers": True}, "invalid_destination"),
        ({"kind": "relay", "events": [], "answers": "yes"}, "invalid_message"),
        ({"kind": "mail"}, "invalid_message"),
        ({"url": "https://" + "a" * 3000}, "invalid_message"),
        ({"url": None}, "invalid_message"),
    ],
)
async def test_other_destinations_are_refused(
    gateway: Gateway, wrong: dict[str, Any], code: str
) -> None:
    status, fields = await asked(gateway, {**HOOK, **wrong})
    assert (status, fields["code"]) == (400, code)
    assert "word@" not in fields["message"]
    assert SECRET not in fields["message"]


async def test_a_session_names_four_destinations_at_most(gateway: Gateway) -> None:
    assert (await asked(gateway, *[HOOK] * 4))[0] == 201
    assert (await asked(gateway, *[HOOK] * 5))[1]["code"] == "invalid_message"


async def test_a_host_that_is_allowed_may_be_plain(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    installed = Installed(delivery_allow=("127.0.0.0/8",))
    async with running(redis_server, tmp_path, installed=installed) as gateway:
        assert (await asked(gateway, {**HOOK, "url": "http://127.0.0.1:9000/"}))[0] == 201
        assert (await asked(gateway, {**HOOK, "url": "http://10.0.0.1:9000/"}))[0] == 400


async def dead(gateway: Gateway, name: str = "hook-1") -> str:
    """Have a final of a new session become a letter; gives the session's id."""
    session_id = await gateway.create(
        destinations=[HOOK, {**HOOK, "kind": "relay", "events": ["utterance"]}]
    )
    async with gateway.joined(session_id) as client:
        await client.chunks([bytes(3200)])
        await client.hear_stored(1)
        await gateway.commit(session_id, "canary")
    store = DeliveryStore(gateway.link, gateway.services.limits)
    place = Place(session_id, name)
    standing = (await store.standing([place]))[place]
    assert isinstance(standing, Standing)
    made, _ = await store.made(session_id, 0, 100)
    final = next(each.numbered for each in made if isinstance(each.numbered.event, Final))
    session: Session = standing.session
    letter = Letter(
        f"{session_id}-final-0", session, standing.epoch,
        next(each for each in session.destinations if each.name == name),
        final.number, final.event, (), 7, "http_503", made[0].at_ms,
    )  # fmt: skip
    assert await store.give_up(place, standing, letter, most=100) > 0
    return session_id


async def listed(gateway: Gateway, **query: object) -> tuple[list[dict[str, Any]], str | None]:
    params = {name: str(value) for name, value in query.items()}
    async with gateway.http.get(LETTERS, params=params) as answer:
        assert answer.status == 200
        fields = await answer.json()
    return fields["letters"], fields["next"]


async def test_a_letter_is_told_without_its_text_or_its_secrets(gateway: Gateway) -> None:
    """R3: what fails for good is kept as a dead letter, and can be sent again."""
    session_id = await dead(gateway)
    ((letter,), following) = await listed(gateway)
    assert following is None
    assert letter.pop("id").count("-") == 2
    assert letter.pop("time").startswith("20")
    assert letter.pop("event_time").startswith("20")
    number = letter.pop("event")
    assert number > 1
    assert letter == {
        "delivery_id": f"{session_id}-final-0", "session_id": session_id,
        "destination": "hook-1", "kind": "webhook", "host": "hooks.example.com",
        "event_type": "final.v1", "reason": "http_503", "tries": 7,
    }  # fmt: skip


async def test_letters_are_found_by_destination_and_session_some_at_a_time(
    gateway: Gateway,
) -> None:
    sessions = [await dead(gateway) for _ in range(3)] + [await dead(gateway, "relay-2")]
    everything, _ = await listed(gateway)
    assert [letter["session_id"] for letter in everything] == sessions
    assert [each["session_id"] for each in (await listed(gateway, destination="relay-2"))[0]] == [
        sessions[3]
    ]
    assert [each["session_id"] for each in (await listed(gateway, session_id=sessions[1]))[0]] == [
        sessions[1]
    ]
    first, following = await listed(gateway, limit=3)
    assert following == first[-1]["id"]
    second, following = await listed(gateway, limit=3, after=following)
    assert [*first, *second] == everything
    assert following is None


async def test_letters_are_sent_again_one_or_some(gateway: Gateway) -> None:
    sessions = [await dead(gateway) for _ in range(3)]
    everything, _ = await listed(gateway)
    async with gateway.http.post(f"{LETTERS}/{everything[0]['id']}/replay") as answer:
        assert (answer.status, await answer.json()) == (202, {"replaying": 1})
    store = LetterStore(gateway.link, gateway.services.limits)
    (first,) = await store.take(store.shards, 10)
    assert str(first) == everything[0]["id"]
    await store.leave([first])
    async with gateway.http.post(f"{LETTERS}/replay?session_id={sessions[1]}") as answer:
        assert (answer.status, await answer.json()) == (202, {"replaying": 1})
    (second,) = await store.take(store.shards, 10)
    assert str(second) == everything[1]["id"]
    async with gateway.http.post(f"{LETTERS}/replay") as answer:
        assert (answer.status, await answer.json()) == (202, {"replaying": 3})


async def test_letters_are_thrown_away_one_or_some(gateway: Gateway) -> None:
    sessions = [await dead(gateway) for _ in range(3)]
    everything, _ = await listed(gateway)
    async with gateway.http.delete(f"{LETTERS}/{everything[0]['id']}") as answer:
        assert answer.status == 204
    async with gateway.http.delete(LETTERS, params={"session_id": sessions[1]}) as answer:
        assert await answer.json() == {"deleted": 1}
    assert [letter["session_id"] for letter in (await listed(gateway))[0]] == [sessions[2]]
    async with gateway.http.delete(LETTERS) as answer:
        assert await answer.json() == {"deleted": 1}
    store = LetterStore(gateway.link, gateway.services.limits)
    assert [each async for each in store.find(Wanted())] == []


@pytest.mark.parametrize("query", ["session_id=", "destination=", "session=x", "limit=1"])
async def test_a_choice_that_says_nothing_does_not_mean_all_letters(
    gateway: Gateway, query: str
) -> None:
    await dead(gateway)
    for call in (
        gateway.http.delete(f"{LETTERS}?{query}"),
        gateway.http.post(f"{LETTERS}/replay?{query}"),
    ):
        async with call as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, "invalid_message")
    assert len((await listed(gateway))[0]) == 1


@pytest.mark.parametrize("letter_id", ["x", "0-1-1", "99-1-1", "0-1", "0-1-1-1", "-1-1-1", "٣-1-1"])
async def test_a_letter_that_is_not_there_is_not_found(gateway: Gateway, letter_id: str) -> None:
    for call in (
        gateway.http.delete(f"{LETTERS}/{letter_id}"),
        gateway.http.post(f"{LETTERS}/{letter_id}/replay"),
    ):
        async with call as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "letter_not_found")


@pytest.mark.parametrize("limit", ["", "x", "-1", "1e3"])
async def test_a_limit_is_a_whole_number(gateway: Gateway, limit: str) -> None:
    async with gateway.http.get(LETTERS, params={"limit": limit}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "invalid_message")


async def test_there_is_no_letter_in_the_beginning(gateway: Gateway) -> None:
    assert await listed(gateway) == ([], None)
    async with gateway.http.post(f"{LETTERS}/replay") as answer:
        assert await answer.json() == {"replaying": 0}
