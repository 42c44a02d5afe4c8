"""One transcription: its audio is heard, its results are sent, until either ends it."""

import asyncio
from collections.abc import Sequence
from typing import Final

from tests.fake_transcribe import errors
from tests.fake_transcribe.behaviours import How
from tests.fake_transcribe.connection import Exchange
from tests.fake_transcribe.ears import Ears
from tests.fake_transcribe.errors import ServiceError
from tests.fake_transcribe.hearing import Emit, Heard
from tests.fake_transcribe.incoming import Incoming
from tests.fake_transcribe.journal import StreamRecord
from tests.fake_transcribe.outbox import Outbox
from tests.fake_transcribe.parameters import Parameters
from tests.fake_transcribe.results import Form
from tests.fake_transcribe.service import Service

from steno_common.units import to_seconds
from steno_transcriber.domain.samples import Samples

DONE: Final = "done"


class _CutOffError(Exception):
    """The stream is over, without a proper end."""

    def __init__(self, how: How) -> None:
        super().__init__(how)
        self.how = how


class Transcription:
    """A stream that is let in and answered."""

    def __init__(
        self, exchange: Exchange, service: Service, record: StreamRecord, parameters: Parameters
    ) -> None:
        self._exchange = exchange
        self._service = service
        self._record = record
        self._failure = record.behaviour.failure
        self._outbox = Outbox(exchange, record)
        self._ears = Ears(parameters)
        self._recognisers = [
            service.listen(parameters, self._sender(Form(parameters, channel)))
            for channel in range(parameters.channels)
        ]
        self._samples = 0
        self._over = False

    async def run(self, incoming: Incoming) -> None:
        """Hear the audio to its end; the record's outcome says what that was."""
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(
                    self._outbox.run(), name=f"results of stream {self._record.number}"
                )
                error = await self._heard(incoming)
                await self._outbox.close()
                await sending
                if isinstance(error, _CutOffError):
                    self._cut_off(error.how)
                    return
                if error is not None:
                    await self._outbox.exception(error)
                await self._exchange.end()
        finally:
            self._ears.close()
            for recogniser in self._recognisers:
                await recogniser.aclose()

    async def _heard(self, incoming: Incoming) -> ServiceError | _CutOffError | None:
        """Hear all audio; gives what ended it before."""
        try:
            await self._strike()
            while not self._over and (data := await incoming.audio()) is not None:
                await self._take(data)
                await self._strike()
            await self._feed(self._ears.finish())
            for recogniser in self._recognisers:
                await recogniser.finish()
        except ServiceError as error:
            self._record.outcome = error.name
            self._service.journal.errors[error.name] += 1
            return error
        except _CutOffError as error:
            self._record.outcome = error.how
            return error
        self._record.outcome = self._record.outcome or DONE
        return None

    async def _take(self, data: bytes) -> None:
        """Hear an event's audio."""
        limits = self._service.limits
        channels = self._ears.hear(data)
        self._record.took(data, asyncio.get_running_loop().time())
        await self._feed(channels)
        await self._keep_pace()
        if self._record.audio_seconds > limits.stream_seconds:
            raise ServiceError("LimitExceededException", errors.TOO_LONG)
        if self._record.audio_seconds >= self._outbox.last_put + limits.heartbeat_seconds:
            await self._outbox.put()

    async def _keep_pace(self) -> None:
        """Wait until so much audio may have been taken."""
        begun = self._record.first_audio or 0.0
        due = begun + self._record.audio_seconds / self._service.limits.pace
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))

    async def _feed(self, channels: Sequence[Samples]) -> None:
        self._samples += len(channels[0])
        self._record.audio_seconds = to_seconds(self._samples)
        for recogniser, samples in zip(self._recognisers, channels, strict=True):
            await recogniser.feed(samples)

    def _sender(self, form: Form) -> Emit:
        async def send(heard: Heard) -> None:
            await self._outbox.put(form.result(heard))

        return send

    async def _strike(self) -> None:
        """Let the scripted failure happen if its time has come."""
        failure = self._failure
        if failure is None or self._record.audio_seconds < failure.at:
            return
        self._failure = None
        match failure.how:
            case How.EXCEPTION:
                raise failure.error
            case How.MUTE:
                self._outbox.muted = True
            case How.END:
                self._over = True
            case How.DRAIN:
                self._exchange.go_away(drain=True)
            case How.STALL:
                self._record.outcome = How.STALL
                self._outbox.muted = True
                await asyncio.Event().wait()
            case _:
                raise _CutOffError(failure.how)

    def _cut_off(self, how: How) -> None:
        match how:
            case How.RESET:
                self._exchange.reset()
            case How.GOAWAY:
                self._exchange.go_away(drain=False)
            case _:
                self._exchange.drop()
