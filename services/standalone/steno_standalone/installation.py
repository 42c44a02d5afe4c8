"""Redis with the four services, started in order, stopped in order."""

import asyncio
import os
import sys
import time
from pathlib import Path

from steno_standalone.child import Program
from steno_standalone.domain.services import STOP_ORDER, Service, services
from steno_standalone.errors import NoRedisError
from steno_standalone.ports import refuse_taken_ports
from steno_standalone.ready import redis_answers, services_ready
from steno_standalone.redis_choice import RedisChoice, choose_redis
from steno_standalone.settings import DEFAULT_URL, Settings
from steno_standalone.supervised import Say, Supervised

_REDIS_SECONDS = 5.0
"""For one that is said to be there already; one of our own has longer to start."""
_START_SECONDS = 60.0
_SAMPLE = "samples/hello.wav"


class Installation:
    """Everything that runs on this machine, from `run` until its cancellation."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self._settings = settings
        self._say = say
        self._services = services(settings.transcribers, settings.engines or ("",))
        self._running: dict[str, Supervised] = {}

    async def run(self) -> None:
        """Start everything, say where it is, keep it alive until cancelled, stop everything.

        Raises StandaloneError, in a group, when it cannot start; nothing is left running then.
        """
        started = time.monotonic()
        refuse_taken_ports(self._services, self._settings.port)
        with choose_redis(self._settings.redis_url) as choice:
            async with asyncio.TaskGroup() as tasks:
                try:
                    await self._start(choice, tasks)
                    self._announce(time.monotonic() - started)
                    await asyncio.get_running_loop().create_future()
                finally:
                    await self._stop()

    def kill(self) -> None:
        """End every program at once; what `run` waits for is over then."""
        for supervised in self._running.values():
            supervised.kill()

    async def _start(self, choice: RedisChoice, tasks: asyncio.TaskGroup) -> None:
        self._say(f"Redis    {choice.title}")
        engines = ", then ".join(self._settings.engines)
        self._say(
            f"Engine   {engines or self._settings.engine} (STENO_ENGINE{'S' * bool(engines)})"
        )
        server = self._keep(choice.program, tasks) if choice.program else None
        try:
            await redis_answers(choice.url, _START_SECONDS if server else _REDIS_SECONDS)
        except NoRedisError as error:
            last = f". Its last lines:\n{server.last_lines}" if server else ""
            raise NoRedisError(f"{error}{last}") from error
        base = self._settings.port
        shared = os.environ | {"STENO_REDIS_URL": choice.url}
        running = [
            (
                each.ready_url(base, tls=self._settings.tls),
                self._keep(_program(each, shared | each.environment(base)), tasks),
            )
            for each in self._services
        ]
        await services_ready(running)

    def _keep(self, program: Program, tasks: asyncio.TaskGroup) -> Supervised:
        supervised = Supervised(program, self._say)
        self._running[program.name] = supervised
        tasks.create_task(supervised.run(), name=program.name)
        return supervised

    async def _stop(self) -> None:
        if self._running:
            self._say("Stopping")
        # Redis last: the others hand back their work through it.
        for roles in (*STOP_ORDER, ("redis",)):
            names = [each.name for each in self._services if each.role in roles] or roles
            async with asyncio.TaskGroup() as stops:
                for name in names:
                    if supervised := self._running.get(name):
                        stops.create_task(supervised.stop(), name=f"stop {name}")

    def _announce(self, seconds: float) -> None:
        url = self._settings.url
        command = _shown(Path(sys.executable).parent / "steno")
        option = "" if url == DEFAULT_URL else f" --url {url}"
        sample = _SAMPLE if Path(_SAMPLE).exists() else "FILE"
        self._say(f"Ready    in {seconds:.1f} s, Ctrl-C stops everything")
        self._say(f"Console  {url}")
        self._say("Docs     README.md, docs/protocol.md")
        self._say(f"Try      {command} transcribe {sample}{option}")


def _program(service: Service, environment: dict[str, str]) -> Program:
    return Program(
        name=service.name,
        argv=(sys.executable, "-m", service.module),
        environment=environment | {"PYTHONUNBUFFERED": "1"},
    )


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
