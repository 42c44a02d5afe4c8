"""Rendered objects as the policies see them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.deploy.kubernetes_render import Object, pod_of

from steno_common.health import PORT_OFFSETS

SERVICES: Final = tuple(sorted(PORT_OFFSETS))

_UNITS: Final = {
    "": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30,
}  # fmt: skip


def quantity(text: str | int) -> float:
    """Give the number that Kubernetes reads: `250m` is 0.25, `1Ki` is 1024."""
    found = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text))
    if found is None:
        raise ValueError(f"{text} is no quantity")
    return float(found[1]) * _UNITS[found[2]]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether a selector of labels takes an object with these."""
    wanted = selector.get("matchLabels", {})
    for rule in selector.get("matchExpressions", []):
        if rule["operator"] != "NotIn":
            raise ValueError(f"{rule['operator']} is not understood")
        if labels.get(rule["key"]) in rule["values"]:
            return False
    return all(labels.get(key) == value for key, value in wanted.items())


@dataclass(frozen=True, slots=True)
class Workload:
    """An object that makes pods."""

    object: Object
    pod: Object
    labels: Mapping[str, str]

    @property
    def name(self) -> str:
        return str(self.object["metadata"]["name"])

    @property
    def kind(self) -> str:
        return str(self.object["kind"])

    @property
    def stays(self) -> bool:
        """Whether its pods are to run for ever."""
        return self.kind in {"Deployment", "StatefulSet"}

    @property
    def first(self) -> Sequence[Object]:
        """The containers that run before the others."""
        found: Sequence[Object] = self.pod.get("initContainers", [])
        return found

    @property
    def containers(self) -> Sequence[Object]:
        found: Sequence[Object] = self.pod["containers"]
        return found

    @property
    def ports(self) -> dict[str, int]:
        """The ports that its pods listen on, by name."""
        return {
            port["name"]: port["containerPort"]
            for container in self.containers
            for port in container.get("ports", [])
        }


@dataclass(frozen=True, slots=True)
class Rendered:
    """All objects of an overlay."""

    objects: Sequence[Object]

    def kind(self, *kinds: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] in kinds]

    def named(self, kind: str, name: str) -> Object:
        (found,) = (each for each in self.kind(kind) if each["metadata"]["name"] == name)
        return found

    @property
    def workloads(self) -> list[Workload]:
        return [
            Workload(each, pod, each["spec"]["template"]["metadata"]["labels"])
            for each in self.objects
            if (pod := pod_of(each)) is not None
        ]

    @property
    def staying(self) -> list[Workload]:
        return [each for each in self.workloads if each.stays]

    def containers(self) -> Iterator[tuple[str, Workload, Object]]:
        """Give every container with where it is."""
        for workload in self.workloads:
            for container in (*workload.first, *workload.containers):
                yield f"{workload.name}/{container['name']}", workload, container

    def environment(self, container: Object) -> dict[str, str | None]:
        """Give the variables of a container; what is not known before it runs is None."""
        found: dict[str, str | None] = {}
        for source in container.get("envFrom", []):
            found |= self.named("ConfigMap", source["configMapRef"]["name"])["data"]
        for variable in container.get("env", []):
            found[variable["name"]] = variable.get("value")
            sources = {"value", "secretKeyRef", "fieldRef"}
            given = sources & {*variable, *variable.get("valueFrom", {})}
            if len(given) != 1:
                raise ValueError(f"{variable['name']} has no value, or two")
        return found
