"""One run: load on a Steno, readings at both ends of the interval that counts, a verdict."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from bench.recognition import cost
from bench.recognition.fixture import Clip
from bench.recognition.latency import Latencies, measure_latencies, together
from bench.recognition.loaders import loader
from bench.recognition.pages import Page
from bench.recognition.plan import Plan, spoken_words
from bench.recognition.quality import Quality, faults, judge_words
from bench.recognition.seen import SeenSession
from bench.recognition.steno import Steno
from bench.recognition.workload import Load

_LEAD_SECONDS: Final = 4.0
"""Time for the processes of load to start and read their clips."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run gave."""

    load: Load
    latencies: Latencies
    quality: Quality | None
    """None for a model that understands nothing."""
    faults: tuple[str, ...]
    completed: int
    costs: dict[str, tuple[float, float]]
    """CPU seconds of the interval with peak memory in MiB, by role."""
    page: Page
    """The transcribers' metrics over the interval."""
    texts: tuple[dict[str, str], ...]
    """Of each session what was said and what was heard."""
    warnings: Counter[str]
    """What the server warned of, by code."""
    late: float
    """Most that the load was behind its own pace, in seconds."""
    held: float
    """Longest that a session had to wait for credit in all, in seconds."""

    @property
    def audio_seconds(self) -> float:
        """Audio transcribed in the interval."""
        return self.page.total("steno_transcriber_audio_seconds_total")


async def measure(
    steno: Steno, load: Load, clips: Sequence[Clip], offline: Mapping[str, str] | None
) -> Measured:
    """Run the load; without `offline` texts words are not judged."""
    first = time.monotonic() + _LEAD_SECONDS
    services = cost.costs([steno.pid])
    async with AsyncExitStack() as stack:
        loaders = [
            await stack.enter_async_context(loader(load.job(steno.url, first, number)))
            for number in range(load.processes)
        ]
        roots = [steno.pid, *(loader.process.pid for loader in loaders)]
        begin, end = load.counted
        await asyncio.sleep(first + begin - time.monotonic())
        costs_before, page_before = cost.costs(roots), await steno.page()
        await asyncio.sleep(first + end - time.monotonic())
        costs_after, page_after = cost.costs(roots), await steno.page()
        seen = [each for loader in loaders for each in await loader.seen()]
    plans = {each.index: load.plan(clips, each.index) for each in seen}
    return Measured(
        load=load,
        latencies=together(
            measure_latencies(
                each, list(spoken_words(plans[each.index], clips)), load.pace(each.index)
            )
            for each in seen
        ),
        quality=None if offline is None else _quality(seen, plans, clips, offline),
        faults=tuple(_all_faults(seen, plans, load, services.keys() - costs_after.keys())),
        completed=sum(each.completed for each in seen),
        costs=cost.by_role(costs_before, costs_after),
        page=page_after.since(page_before),
        texts=tuple(_texts(each, plans[each.index], clips) for each in seen),
        warnings=sum((Counter(each.warnings) for each in seen), Counter()),
        late=max((each.late for each in seen), default=0.0),
        held=max((each.held for each in seen), default=0.0),
    )


def _quality(
    seen: Sequence[SeenSession],
    plans: Mapping[int, Plan],
    clips: Sequence[Clip],
    offline: Mapping[str, str],
) -> Quality:
    judged = (judge_words(each, plans[each.index], clips, offline) for each in seen)
    return sum(judged, Quality())


def _texts(seen: SeenSession, plan: Plan, clips: Sequence[Clip]) -> dict[str, str]:
    return {
        "said": " ".join(clips[place.clip].text for place in plan.placed),
        "heard": " ".join(final.text for final in seen.finals),
    }


def _all_faults(
    seen: Sequence[SeenSession], plans: Mapping[int, Plan], load: Load, ended: Collection[int]
) -> list[str]:
    found = [fault for each in seen for fault in faults(each, plans[each.index])]
    if len(seen) != load.sessions:
        found.append(f"{load.sessions - len(seen)} sessions are missing: their process failed")
    if ended:
        found.append(f"{len(ended)} processes of Steno ended meanwhile")
    return found
