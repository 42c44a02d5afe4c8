"""Signatures made by Amazon's own library are right, and everything that changes them is not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from amazon_transcribe.auth import Credentials as TheirCredentials
from amazon_transcribe.eventstream import EventSigner, EventStreamMessageSerializer
from amazon_transcribe.request import Request as TheirRequest
from amazon_transcribe.signer import SigV4RequestSigner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fake_transcribe.errors import ServiceError
from tests.fake_transcribe.eventstream import Message, Timestamp, decode_one
from tests.fake_transcribe.signing import Chain, Credentials, Request, verify

ME = Credentials("AKID", "my secret")
WITH_TOKEN = Credentials("ASIA", "other", "a/token+with=signs")
REGION = "eu-central-1"


def now() -> float:
    return datetime.now(UTC).timestamp()


def signed(credentials: Credentials = ME, host: str = "localhost") -> Request:
    """Sign a request as the library does."""
    asked = TheirRequest(
        endpoint="https://localhost",
        path="/stream-transcription",
        method="POST",
        headers={"host": host, "user-agent": "me", "x-amzn-transcribe-sample-rate": "16000"},
    ).prepare()
    signer = SigV4RequestSigner("transcribe", REGION)
    theirs = TheirCredentials(credentials.key_id, credentials.secret, credentials.token)
    headers = signer.sign(asked, theirs).headers.as_list()
    return Request(
        "POST", "/stream-transcription", tuple((name.lower(), value) for name, value in headers)
    )


def changed(request: Request, name: str, value: str | None) -> Request:
    kept = tuple(pair for pair in request.headers if pair[0] != name)
    return replace(request, headers=kept if value is None else (*kept, (name, value)))


@pytest.mark.parametrize("host", ["localhost", "localhost:4433"])
@pytest.mark.parametrize("credentials", [ME, WITH_TOKEN])
def test_a_request_of_the_library_is_let_in(credentials: Credentials, host: str) -> None:
    verify(signed(credentials, host), [WITH_TOKEN, ME], now())


def test_the_path_may_end_with_a_question_mark() -> None:
    request = signed()
    verify(replace(request, path="/stream-transcription?"), [ME], now())


def header(name: str, value: str | None) -> Callable[[Request], Request]:
    return lambda request: changed(request, name, value)


def authorization(part: str, other: str) -> Callable[[Request], Request]:
    def change(request: Request) -> Request:
        written = request.header("authorization") or ""
        assert part in written
        return changed(request, "authorization", written.replace(part, other))

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, method="GET"),
        lambda request: replace(request, path="/stream-transcriptions"),
        lambda request: replace(request, path="/stream-transcription?a=1"),
        header("host", "localhost:443"),
        header("x-amzn-transcribe-sample-rate", "8000"),
        header("x-amzn-transcribe-language-code", "en-US"),
        header("x-amz-content-sha256", "0" * 64),
        header("x-amz-security-token", "stolen"),
        header("x-amz-date", None),
        header("x-amz-date", "tomorrow"),
        header("x-amz-date", "20200101T000000Z"),
        header("authorization", None),
        authorization("AKID", "AKIE"),
        authorization(REGION, "eu-central-2"),
        authorization("/transcribe/", "/polly/"),
        authorization("host;", ""),
        authorization("Signature=", "Signature=" + "0" * 64),
    ],
)
def test_whatever_is_changed_is_noticed(change: Callable[[Request], Request]) -> None:
    with pytest.raises(ServiceError) as refused:
        verify(change(signed()), [ME, WITH_TOKEN], now())
    assert (refused.value.name, refused.value.status) == ("UnrecognizedClientException", 403)


@pytest.mark.parametrize(
    "known", [[], [Credentials("AKID", "another secret")], [Credentials("AKID", "my secret", "t")]]
)
def test_another_secret_or_token_is_not_let_in(known: Sequence[Credentials]) -> None:
    with pytest.raises(ServiceError, match="UnrecognizedClientException"):
        verify(signed(), known, now())


@pytest.mark.parametrize(
    ("skew", "said"), [(-302, "not yet current"), (-298, None), (298, None), (302, "expired")]
)
def test_a_clock_may_be_five_minutes_wrong(skew: int, said: str | None) -> None:
    request, when = signed(), now() + skew
    if said is None:
        verify(request, [ME], when)
        return
    with pytest.raises(ServiceError, match=said) as refused:
        verify(request, [ME], when)
    assert (refused.value.name, refused.value.status) == ("InvalidSignatureException", 403)


class TheirStream:
    """Signs events as the library does."""

    def __init__(self, seed: str, when: datetime | None = None) -> None:
        self._signer = EventSigner("transcribe", REGION, lambda: when or datetime.now(UTC))
        self._prior = bytes.fromhex(seed)

    def event(self, payload: bytes) -> Message:
        theirs = TheirCredentials(ME.key_id, ME.secret)
        headers = self._signer.sign(payload, self._prior, theirs)
        self._prior = headers[":chunk-signature"]
        return decode_one(EventStreamMessageSerializer().serialize(headers, payload))


SEED = "ab" * 32


@settings(deadline=None)
@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5))
def test_a_chain_of_events_is_verified_one_behind_the_other(payloads: list[bytes]) -> None:
    stream, chain = TheirStream(SEED), Chain(ME.secret, REGION, SEED)
    assert [chain.opened(stream.event(payload), now()) for payload in payloads] == payloads


def test_the_seed_is_the_signature_of_the_request() -> None:
    request = signed()
    chain = verify(request, [ME], now())
    stream = TheirStream((request.header("authorization") or "")[-64:])
    assert chain.opened(stream.event(b"audio"), now()) == b"audio"


@pytest.mark.parametrize("which", ["lost", "again", "changed", "moved", "unsigned"])
def test_an_event_out_of_its_chain_is_noticed(which: str) -> None:
    stream, chain = TheirStream(SEED), Chain(ME.secret, REGION, SEED)
    first, second = stream.event(b"one"), stream.event(b"two")
    wrong = {
        "lost": second,
        "again": first,
        "changed": replace(first, payload=b"One"),
        "moved": replace(first, headers={**first.headers, ":date": Timestamp(1_000)}),
        "unsigned": Message({}, b"one"),
    }[which]
    if which == "again":
        chain.opened(first, now())
    with pytest.raises(ServiceError) as refused:
        chain.opened(wrong, now())
    assert refused.value.name == "BadRequestException"


@pytest.mark.parametrize(
    ("skew", "said"), [(-302, "expired"), (-298, None), (298, None), (302, "not yet current")]
)
def test_an_event_may_be_five_minutes_old(skew: int, said: str | None) -> None:
    event = TheirStream(SEED, datetime.now(UTC) + timedelta(seconds=skew)).event(b"audio")
    chain = Chain(ME.secret, REGION, SEED)
    if said is None:
        assert chain.opened(event, now()) == b"audio"
        return
    with pytest.raises(ServiceError, match=said) as refused:
        chain.opened(event, now())
    assert refused.value.name == "BadRequestException"
