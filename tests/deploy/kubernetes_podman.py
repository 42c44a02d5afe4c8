"""The part of an overlay that `podman kube play` runs, as one file.

Left out: Namespace, ServiceAccount, Service, NetworkPolicy, PodDisruptionBudget, autoscalers,
Ingress, Job, and of pods what is for a scheduler. A Deployment becomes one Pod, as does a
StatefulSet. Podman 4.3 knows neither the group nor the memory of volumes, so claims and empty
folders are volumes made before. It stumbles over containers that run first, so the one behind does
their work; over secrets as files, so those are of a ConfigMap. Every name gets a prefix, because
Podman has one place for all.
"""

import base64
import json
import shlex
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Final

from tests.deploy.kubernetes_objects import SERVICES, Rendered, Workload
from tests.deploy.kubernetes_render import Object

PREFIX: Final = "stenokube"
NOT_FOR_PODMAN: Final = {
    "serviceAccountName", "automountServiceAccountToken", "topologySpreadConstraints",
    "initContainers",
}  # fmt: skip
IMAGES: Final = {"redis": "docker.io/library/redis:7"}


def prefixed(name: str) -> str:
    """Give the name of an object for Podman."""
    return f"{PREFIX}-{name}"


def secrets(password: str) -> dict[str, dict[str, str]]:
    """Give what whoever installs Steno makes for variables, by name and key."""
    return {
        "redis": {
            "password": password,
            "url": f"redis://:{password}@{prefixed('redis')}:6379/0",
        },
        "gateway": {"token-secret": password * 2},
    }


def stored(secret: Mapping[str, str]) -> str:
    """Give a secret as Podman 4.3 stores it for variables of pods."""
    return json.dumps({k: base64.b64encode(v.encode()).decode() for k, v in secret.items()})


def _container(container: Object) -> Object:
    container = deepcopy(container)
    name = container["image"].rpartition(":")[0]
    container["image"] = IMAGES.get(name, f"localhost/{name}:latest")
    for source in container.get("envFrom", []):
        source["configMapRef"]["name"] = prefixed(source["configMapRef"]["name"])
    for variable in container.get("env", []):
        if source := variable.get("valueFrom", {}).get("secretKeyRef"):
            source["name"] = prefixed(source["name"])
    return container


def _volume(workload: Workload, volume: Object) -> Object:
    volume = deepcopy(volume)
    if "emptyDir" in volume:
        claim = {"claimName": prefixed(f"{workload.name}-{volume['name']}")}
        return {"name": volume["name"], "persistentVolumeClaim": claim}
    for kind, field in (
        ("configMap", "name"),
        ("secret", "secretName"),
        ("persistentVolumeClaim", "claimName"),
    ):
        if kind in volume:
            volume[kind][field] = prefixed(volume[kind][field])
    if "secret" in volume:
        source = volume.pop("secret")
        volume["configMap"] = {"name": source["secretName"], "items": source["items"]}
    return volume


def volumes(rendered: Rendered) -> dict[str, bool]:
    """Give the volumes to make before, with whether they are in memory."""
    claims = {each["metadata"]["name"]: False for each in rendered.kind("PersistentVolumeClaim")}
    for workload in rendered.staying:
        found = (each["name"] for each in workload.pod["volumes"] if "emptyDir" in each)
        claims |= {f"{workload.name}-{name}": True for name in found}
    return {prefixed(name): in_memory for name, in_memory in claims.items()}


def pod(workload: Workload, port: int | None = None) -> Object:
    """Give the pod of a workload, published on a port of this machine if it is to be."""
    spec = {key: value for key, value in workload.pod.items() if key not in NOT_FOR_PODMAN}
    spec["containers"] = [_container(each) for each in workload.containers]
    for first in reversed(workload.first):
        before, then = (shlex.join(each["command"]) for each in (first, spec["containers"][0]))
        spec["containers"][0]["command"] = ["/bin/sh", "-c", f"{before} && exec {then}"]
    spec["volumes"] = [_volume(workload, each) for each in workload.pod["volumes"]]
    if port is not None:
        spec["containers"][0]["ports"][0] |= {"hostPort": port, "hostIP": "127.0.0.1"}
    metadata = {"name": prefixed(workload.name), "labels": dict(workload.labels)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def playable(rendered: Rendered, port: int, keys: str, **settings: str) -> Iterator[Object]:
    """Give what Podman is to run, with some settings other than those of the overlay."""
    metadata = {"name": prefixed("gateway")}
    yield {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"api-keys": keys},
    }  # fmt: skip
    for each in rendered.kind("ConfigMap"):
        found = deepcopy(each)
        found["metadata"] = {"name": prefixed(each["metadata"]["name"])}
        if each["metadata"]["name"] == "settings":
            found["data"] |= settings
        yield found
    by_name = {workload.name: workload for workload in rendered.staying}
    for name in ("redis", *SERVICES):
        yield pod(by_name[name], port if name == "gateway" else None)
