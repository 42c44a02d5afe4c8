"""Policies of the ways through the network: nothing is open but what something needs."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.deploy.kubernetes_objects import SERVICES, Rendered, Workload, selects
from tests.deploy.kubernetes_render import Object

Complaints = Iterator[str]

DNS: Final = 53
OTLP: Final = (4317, 4318)
PRIVATE: Final = ("0.1.2.3", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254",
                  "172.16.0.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
                  "::1", "fd00::1", "fe80::1", "ff02::1")  # fmt: skip
PUBLIC: Final = ("93.184.216.34", "2606:2800:220:1::1")


def _labels(rendered: Rendered) -> Iterator[Mapping[str, str]]:
    yield from (workload.labels for workload in rendered.workloads)


def _ports(rule: Object) -> Iterator[int]:
    for port in rule["ports"]:
        yield from range(port["port"], port.get("endPort", port["port"]) + 1)


def _policies(rendered: Rendered, direction: str, labels: Mapping[str, str]) -> Iterator[Object]:
    """Give the rules of what pods with these labels may receive or send."""
    for policy in rendered.kind("NetworkPolicy"):
        spec = policy["spec"]
        if direction in spec["policyTypes"] and selects(spec["podSelector"], labels):
            yield from spec.get(direction.lower(), [])


def _chosen(peer: Object) -> bool:
    """Say whether a peer is somebody and not everybody."""
    ((kind, chosen),) = peer.items()
    return bool(chosen["cidr"] if kind == "ipBlock" else chosen["matchLabels"])


def nothing_is_allowed_by_itself(rendered: Rendered) -> Complaints:
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    if closed not in [policy["spec"] for policy in rendered.kind("NetworkPolicy")]:
        yield "what no policy names is open"
    for policy in rendered.kind("NetworkPolicy"):
        name, spec = policy["metadata"]["name"], policy["spec"]
        if not any(selects(spec["podSelector"], labels) for labels in _labels(rendered)):
            yield f"{name}: concerns nobody"
        if not spec["podSelector"].get("matchLabels") and name not in {"nothing", "names"}:
            yield f"{name}: concerns everybody"
        for direction, ends in (("Ingress", "from"), ("Egress", "to")):
            rules = spec.get(direction.lower(), [])
            if rules and direction not in spec["policyTypes"]:
                yield f"{name}: its rules have no effect"
            for rule in rules:
                if not all((rule[ends], rule["ports"], *(_chosen(peer) for peer in rule[ends]))):
                    yield f"{name}: is open to everybody"
                if any(port["protocol"] not in {"TCP", "UDP"} for port in rule["ports"]):
                    yield f"{name}: has no protocol"


def _peers(rule: Object, ends: str, labels: Mapping[str, str]) -> bool:
    return any(selects(peer["podSelector"], labels) for peer in rule[ends] if "podSelector" in peer)


def _flows(rendered: Rendered) -> Iterator[tuple[Workload, Workload, int]]:
    """Give every way inside the namespace that something has to take."""
    by_name = {workload.name: workload for workload in rendered.workloads}
    redis = by_name["redis"]
    for name in SERVICES:
        for port in redis.ports.values():
            yield by_name[name], redis, port
    if len(redis.ports) > 1:
        for port in redis.ports.values():
            yield redis, redis, port


def every_flow_is_allowed_at_both_ends(rendered: Rendered) -> Complaints:
    for source, target, port in _flows(rendered):
        out = _policies(rendered, "Egress", source.labels)
        if not any(port in _ports(rule) and _peers(rule, "to", target.labels) for rule in out):
            yield f"{source.name} may not speak to {target.name}:{port}"
        into = _policies(rendered, "Ingress", target.labels)
        if not any(port in _ports(rule) and _peers(rule, "from", source.labels) for rule in into):
            yield f"{target.name}:{port} may not hear {source.name}"


def _namespaces(rule: Object, ends: str) -> list[Any]:
    return [
        peer["namespaceSelector"]["matchLabels"]
        for peer in rule[ends]
        if "namespaceSelector" in peer
    ]


def only_the_edge_and_prometheus_come_in(rendered: Rendered) -> Complaints:
    edge, prometheus = {"steno-edge": "true"}, {"steno-monitoring": "true"}
    listened = {port for workload in rendered.staying for port in workload.ports.values()}
    for policy in rendered.kind("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            if not set(_ports(rule)) <= listened:
                yield f"{policy['metadata']['name']}: opens ports where nobody listens"
    for workload in rendered.staying:
        rules = list(_policies(rendered, "Ingress", workload.labels))
        came = {(port, str(who)) for rule in rules for port in _ports(rule)
                for who in _namespaces(rule, "from")}  # fmt: skip
        own = set(workload.ports.values()) if workload.name in SERVICES else set()
        wanted = {(port, str(prometheus)) for port in own}
        if workload.name == "gateway":
            wanted |= {(port, str(edge)) for port in own}
        if {each for each in came if each[0] in workload.ports.values()} != wanted:
            yield f"{workload.name}: {came} come in"


def everybody_may_ask_for_names(rendered: Rendered) -> Complaints:
    for labels in _labels(rendered):
        rules = [r for r in _policies(rendered, "Egress", labels) if DNS in _ports(r)]
        protocols = {port["protocol"] for rule in rules for port in rule["ports"]}
        named = [each for rule in rules for each in _namespaces(rule, "to")]
        if {port for rule in rules for port in _ports(rule)} != {DNS}:
            yield f"{labels['app.kubernetes.io/component']}: reaches more than names"
        if protocols != {"TCP", "UDP"} or named != [{"kubernetes.io/metadata.name": "kube-system"}]:
            yield f"{labels['app.kubernetes.io/component']}: cannot look up names"
        caches = [p["ipBlock"]["cidr"] for r in rules for p in r["to"] if "ipBlock" in p]
        if caches != ["169.254.20.10/32"]:
            yield f"{labels['app.kubernetes.io/component']}: cannot ask the cache of its node"


def _reached(block: Object, address: str) -> bool:
    at = ipaddress.ip_address(address)
    return at in ipaddress.ip_network(block["cidr"]) and not any(
        at in ipaddress.ip_network(other) for other in block.get("except", [])
    )


def only_some_reach_the_internet_and_nothing_private(rendered: Rendered) -> Complaints:
    for workload in rendered.workloads:
        rules = [r for r in _policies(rendered, "Egress", workload.labels) if DNS not in _ports(r)]
        out = [(peer["ipBlock"], set(_ports(rule)))
               for rule in rules for peer in rule["to"] if "ipBlock" in peer]  # fmt: skip
        wanted = workload.name in {"notifier", "model"}
        if any(_reached(block, address) for block, _ in out for address in PRIVATE):
            yield f"{workload.name}: reaches private addresses"
        reached = [any(_reached(b, each) and ports == {443} for b, ports in out) for each in PUBLIC]
        if reached != [wanted] * len(PUBLIC) or (out and not wanted):
            yield f"{workload.name}: its way to the internet is not as intended"


def telemetry_goes_to_monitoring_alone(rendered: Rendered) -> Complaints:
    wanted = {(port, "{'steno-monitoring': 'true'}") for port in OTLP}
    for workload in rendered.workloads:
        rules = [r for r in _policies(rendered, "Egress", workload.labels) if DNS not in _ports(r)]
        out = {(port, str(who)) for rule in rules for port in _ports(rule)
               for who in _namespaces(rule, "to")}  # fmt: skip
        watched = workload.name in SERVICES and bool(rendered.kind("PodMonitor"))
        if out != (wanted if watched else set()):
            yield f"{workload.name}: sends to {out}"
