"""The answer to a request: a stream, or a refusal."""

import asyncio
import json
from collections.abc import Sequence
from typing import Final

from tests.fake_transcribe.connection import Exchange
from tests.fake_transcribe.errors import ServiceError, bad_request
from tests.fake_transcribe.incoming import Incoming
from tests.fake_transcribe.journal import StreamRecord
from tests.fake_transcribe.parameters import Parameters, parse
from tests.fake_transcribe.service import Service
from tests.fake_transcribe.signing import Chain, Request, verify
from tests.fake_transcribe.stream import Transcription

PATH: Final = "/stream-transcription"
EVENT_STREAM: Final = "application/vnd.amazon.eventstream"

Headers = Sequence[tuple[str, str]]


async def serve(exchange: Exchange, service: Service) -> None:
    """Answer one request, to its end or to that of its connection."""
    record = service.begin(exchange.connection)
    clock = asyncio.get_running_loop().time
    try:
        await _answer(exchange, service, record)
    except ServiceError as error:
        record.outcome = error.name
        service.journal.errors[error.name] += 1
        body = json.dumps({"Message": error.message}).encode()
        await exchange.answer(error.status, _refusal(record, error), body=body)
    except asyncio.CancelledError:
        record.outcome = record.outcome or "client"
        raise
    finally:
        record.ended = clock()
        service.ended(record)


async def _answer(exchange: Exchange, service: Service, record: StreamRecord) -> None:
    """Serve a stream. Raises ServiceError while it can still be refused."""
    behaviour = record.behaviour
    chain = _verified(exchange.request, service)
    record.parameters = parameters = parse(exchange.request.headers)
    _check_vocabulary(parameters, service)
    if behaviour.no_headers:
        record.outcome = "no_headers"
        await asyncio.Event().wait()
    await asyncio.sleep(behaviour.headers_delay)
    if behaviour.refuse:
        raise ServiceError(behaviour.refuse, "as scripted")
    with service.admitted(parameters.session_id, exchange):
        stream = Transcription(exchange, service, record, parameters)
        await exchange.answer(200, _welcome(record, parameters))
        record.answered = asyncio.get_running_loop().time()
        await stream.run(Incoming(exchange, service, record, chain))


def _verified(request: Request, service: Service) -> Chain:
    if (request.method, request.path.partition("?")[0]) != ("POST", PATH):
        raise ServiceError("UnknownOperationException", "There is no such operation.")
    try:
        return verify(request, service.credentials, service.clock())
    except ServiceError:
        service.journal.signature_failures += 1
        raise


def _check_vocabulary(parameters: Parameters, service: Service) -> None:
    name = (parameters.given or {}).get("vocabulary-name")
    if name and service.vocabularies is not None and name not in service.vocabularies:
        raise bad_request(f"There is no vocabulary {name}.")


def _welcome(record: StreamRecord, parameters: Parameters) -> Headers:
    return [
        ("content-type", EVENT_STREAM),
        ("x-amzn-request-id", record.request_id),
        *parameters.answer,
    ]


def _refusal(record: StreamRecord, error: ServiceError) -> Headers:
    """Give the headers of a refusal; what stands behind the colon is for clients to cut off."""
    return [
        ("content-type", "application/json"),
        ("x-amzn-request-id", record.request_id),
        ("x-amzn-errortype", f"{error.name}:http://localhost/"),
    ]
