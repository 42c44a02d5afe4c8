"""Broken copies of rendered objects: every field missing once, every value another one once."""

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from tests.deploy.kubernetes_objects import Rendered
from tests.deploy.kubernetes_render import Object

Path = tuple[str | int, ...]
DELETED: Final = object()


@dataclass(frozen=True, slots=True)
class Mutant:
    """Objects of which one differs in one place."""

    name: str
    """Kind, name and place, as in `Deployment gateway spec.replicas`."""
    rendered: Rendered
    broken: Object


def paths(value: Any, before: Path = ()) -> Iterator[Path]:
    """Give the place of every field and every item."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*before, key)
            yield from paths(item, (*before, key))


def at(thing: Any, path: Path) -> Any:
    """Give what is at a place."""
    for key in path:
        thing = thing[key]
    return thing


def changed(rendered: Rendered, number: int, path: Path, value: Any) -> Mutant:
    """Give a copy with another value at a place of one object, or nothing there."""
    old = rendered.objects[number]
    broken = deepcopy(old)
    holder = at(broken, path[:-1])
    if value is DELETED:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    objects = [*rendered.objects[:number], broken, *rendered.objects[number + 1 :]]
    place = ".".join(str(key) for key in path)
    return Mutant(f"{old['kind']} {old['metadata']['name']} {place}", Rendered(objects), broken)


def generated(overlays: Sequence[Rendered]) -> Iterator[Mutant]:
    """Give every field missing and every value changed, once for each different object."""
    seen = set()
    for rendered in overlays:
        for number, each in enumerate(rendered.objects):
            for path in paths(each):
                key = json.dumps([each, path])
                if key in seen:
                    continue
                seen.add(key)
                yield changed(rendered, number, path, DELETED)
                value = at(each, path)
                if isinstance(value, bool):
                    yield changed(rendered, number, path, not value)
                elif isinstance(value, str):
                    yield changed(rendered, number, path, f"{value}x")
                elif isinstance(value, int):
                    yield changed(rendered, number, path, value + 1_000_000)
