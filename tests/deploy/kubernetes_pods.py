"""Policies of single pods: what they may do, what they may use, how they are watched."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.deploy.kubernetes_objects import SERVICES, Rendered, Workload, quantity
from tests.deploy.kubernetes_render import Object

from steno_common.health import PORT_OFFSETS
from steno_common.lifecycle import ProcessSettings

ROOT: Final = Path(__file__).parents[2]
VERSION: Final = tomllib.loads((ROOT / "libs/common/pyproject.toml").read_text())["project"][
    "version"
]
STARTUP_SECONDS: Final = {"transcriber": 300}
"""Time to load a model; the others take some seconds, and get a minute."""
GRACE_SECONDS: Final = {
    "gateway": 45, "transcriber": 30, "aggregator": 15, "notifier": 15, "redis": 15,
}  # fmt: skip
RESOURCES: Final = ("cpu", "memory")

Complaints = Iterator[str]


def pods_run_as_nobody(rendered: Rendered) -> Complaints:
    wanted = {
        "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    for workload in rendered.workloads:
        if workload.pod["securityContext"] != wanted:
            yield f"{workload.name}: is not confined to user 10001"


def containers_have_no_rights(rendered: Rendered) -> Complaints:
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for place, _, container in rendered.containers():
        if container["securityContext"] != wanted:
            yield f"{place}: has rights that it does not need"


def pods_share_nothing_with_their_node(rendered: Rendered) -> Complaints:
    for workload in rendered.workloads:
        if {"hostNetwork", "hostPID", "hostIPC"} & workload.pod.keys():
            yield f"{workload.name}: is in a namespace of its node"
        for volume in workload.pod.get("volumes", []):
            if not volume.keys() & {"emptyDir", "persistentVolumeClaim", "configMap", "secret"}:
                yield f"{workload.name}: mounts something else of its node"
        for container in (*workload.first, *workload.containers):
            if any("hostPort" in port for port in container.get("ports", [])):
                yield f"{workload.name}: takes a port of its node"


def pods_hold_no_token(rendered: Rendered) -> Complaints:
    for workload in rendered.workloads:
        pod = workload.pod
        account = rendered.named("ServiceAccount", pod["serviceAccountName"])
        if account["automountServiceAccountToken"] or pod["automountServiceAccountToken"]:
            yield f"{workload.name}: holds a token for the cluster"
        if pod["serviceAccountName"] != workload.name:
            yield f"{workload.name}: is somebody else"
        # A Service could be called so that its variables are taken for settings.
        if workload.name in (*SERVICES, "model", "redis") and pod["enableServiceLinks"]:
            yield f"{workload.name}: is told of all Services by variables"


def containers_have_requests_and_limits(rendered: Rendered) -> Complaints:
    for place, _, container in rendered.containers():
        requests, limits = (container["resources"][key] for key in ("requests", "limits"))
        for name in RESOURCES:
            if not 0 < quantity(requests[name]) <= quantity(limits[name]):
                yield f"{place}: asks for more {name} than it may use"
        for name in (requests.keys() | limits.keys()) - set(RESOURCES):
            if requests[name] != limits[name]:
                yield f"{place}: cannot have some of a {name}"


def images_are_pinned(rendered: Rendered) -> Complaints:
    for place, workload, container in rendered.containers():
        name, _, tag = container["image"].rpartition(":")
        if not re.fullmatch(r"\d+\.\d+\.\d+", tag):
            yield f"{place}: {container['image']} may change"
        if container["name"] not in {workload.name, "prepare", "sentinel"}:
            yield f"{place}: has another name than its workload"
        if name.startswith("steno-") and tag != VERSION:
            yield f"{place}: {container['image']} is not of version {VERSION}"
        if container["imagePullPolicy"] != "IfNotPresent":
            yield f"{place}: fetches what it has"


def images_are_those_of_their_workload(rendered: Rendered) -> Complaints:
    for place, workload, container in rendered.containers():
        name = container["image"].rpartition(":")[0]
        wanted = {
            "redis": ("redis",),
            "model": ("steno-transcriber", "steno-transcriber-cuda"),
            "transcriber": ("steno-transcriber", "steno-transcriber-cuda"),
        }
        if name not in wanted.get(workload.name, (f"steno-{workload.name}",)):
            yield f"{place}: {name} is another image"


def _probe_faults(rendered: Rendered, workload: Workload, container: Object) -> Complaints:
    startup, readiness, liveness = (
        container[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")
    )
    if workload.name in SERVICES:
        paths = [probe["httpGet"]["path"] for probe in (startup, readiness, liveness)]
        # /readyz asks Redis, and its absence must not restart the fleet.
        if paths != ["/healthz", "/readyz", "/healthz"]:
            yield f"asks {paths}"
        if {probe["httpGet"]["port"] for probe in (startup, readiness, liveness)} != {"http"}:
            yield "asks another port than its own"
    budget = startup["periodSeconds"] * startup["failureThreshold"]
    if budget != STARTUP_SECONDS.get(workload.name, 60):
        yield f"has {budget} s to start"
    if readiness["periodSeconds"] * readiness["failureThreshold"] > 15:
        yield "gets clients for long while it cannot serve them"
    if not 30 <= liveness["periodSeconds"] * liveness["failureThreshold"] <= 60:
        yield "is killed for a hiccup, or hangs for long"
    if not all(1 < probe["timeoutSeconds"] <= 5 for probe in (startup, readiness, liveness)):
        yield "has no sensible time to answer"


def containers_are_probed(rendered: Rendered) -> Complaints:
    for workload in rendered.staying:
        for container in workload.containers:
            for fault in _probe_faults(rendered, workload, container):
                yield f"{workload.name}/{container['name']}: {fault}"


def redis_is_probed_by_its_own_command(rendered: Rendered) -> Complaints:
    pod = rendered.named("StatefulSet", "redis")["spec"]["template"]["spec"]
    several = len(pod["containers"]) > 1
    followed = "info replication | grep -Eq 'role:master|master_link_status:up'"
    ready = ["/bin/sh", "-c", f"redis-cli {followed if several else 'ping | grep -q PONG'}"]
    for container in pod["containers"]:
        sentinel = container["name"] == "sentinel"
        # A Redis that reads its log answers, if with an error: it must not be killed for it.
        answers = ["redis-cli", *(["-p", "26379"] if sentinel else []), "ping"]
        commands = {
            kind: container[f"{kind}Probe"]["exec"]["command"]
            for kind in ("startup", "readiness", "liveness")
        }
        wanted = {
            "startup": answers, "readiness": answers if sentinel else ready, "liveness": answers,
        }  # fmt: skip
        if commands != wanted:
            yield f"redis/{container['name']}: is asked {commands}"


def pods_have_time_to_drain(rendered: Rendered) -> Complaints:
    for workload in rendered.staying:
        grace = workload.pod["terminationGracePeriodSeconds"]
        if grace != GRACE_SECONDS[workload.name]:
            yield f"{workload.name}: ends within {grace} s"
        for container in workload.containers:
            environment = rendered.environment(container)
            drain = float(environment.get("STENO_DRAIN_SECONDS") or ProcessSettings().drain_seconds)
            hook = container.get("lifecycle", {}).get("preStop", {})
            if workload.name in SERVICES:
                # It takes as long until nobody sends it anything new.
                pause = hook["sleep"]["seconds"]
                if pause < 5 or pause + drain >= grace:
                    yield f"{workload.name}: {grace} s are too few for {pause} and {drain}"
            elif hook.get("sleep", {}).get("seconds", 5) + 5 > grace:
                yield f"{workload.name}: {grace} s are too few"


def services_listen_on_their_ports(rendered: Rendered) -> Complaints:
    for workload in rendered.staying:
        if workload.name in SERVICES:
            wanted = {"http": 8080 + PORT_OFFSETS[workload.name]}
            if workload.ports != wanted:
                yield f"{workload.name}: {workload.ports} instead of {wanted}"
        for container in workload.containers:
            if any(port["protocol"] != "TCP" for port in container["ports"]):
                yield f"{workload.name}: does not speak TCP"
