"""Policies of load: what scales by which figure, how clients come in."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.deploy.kubernetes_objects import Rendered
from tests.deploy.kubernetes_render import Object

Complaints = Iterator[str]

ROOT: Final = Path(__file__).parents[2]


def _scaled(rendered: Rendered) -> Iterator[tuple[Object, int, int]]:
    """Give all that scales, with the least and the most."""
    for each in rendered.kind("HorizontalPodAutoscaler"):
        yield each, each["spec"]["minReplicas"], each["spec"]["maxReplicas"]
    for each in rendered.kind("ScaledObject"):
        yield each, each["spec"]["minReplicaCount"], each["spec"]["maxReplicaCount"]


def what_scales_has_one_master(rendered: Rendered) -> Complaints:
    scaled = set()
    for each, least, most in _scaled(rendered):
        target = each["spec"]["scaleTargetRef"]
        if (target["apiVersion"], target["kind"]) != ("apps/v1", "Deployment"):
            yield f"{target} is no Deployment"
        if each["metadata"]["name"] != target["name"] or not 2 <= least < most <= 100:
            yield f"{target['name']}: from {least} to {most}"
        scaled.add(target["name"])
    for deployment in rendered.kind("Deployment"):
        name, replicas = deployment["metadata"]["name"], deployment["spec"].get("replicas")
        if name in scaled and replicas is not None:
            yield f"{name}: applying it again sets its number back"
        if name not in scaled and not 2 <= (replicas or 0) <= 10:
            yield f"{name}: one alone is none while it is replaced"
    if "gateway" not in scaled:
        yield "gateways do not follow their clients"


def scaling_is_quick_up_and_slow_down(rendered: Rendered) -> Complaints:
    for each, _, _ in _scaled(rendered):
        spec = each["spec"]
        if each["kind"] == "ScaledObject":
            spec = spec["advanced"]["horizontalPodAutoscalerConfig"]
            if each["spec"]["pollingInterval"] > 15:
                yield "KEDA looks too rarely"
            quick = [{"type": "Percent", "value": 100, "periodSeconds": 30}]
            if spec["behavior"]["scaleUp"]["policies"] != quick:
                yield "transcribers come too slowly, or too many"
        up, down = spec["behavior"]["scaleUp"], spec["behavior"]["scaleDown"]
        if up["stabilizationWindowSeconds"] != 0 or down["stabilizationWindowSeconds"] != 600:
            yield f"{each['kind']}: waits too long, or not at all"
        if down["policies"] != [{"type": "Pods", "value": 1, "periodSeconds": 120}]:
            yield f"{each['kind']}: takes away too many at once"
    for each in rendered.kind("HorizontalPodAutoscaler"):
        (metric,) = each["spec"]["metrics"]
        target = metric["resource"]["target"]
        if (metric["type"], metric["resource"]["name"], target["type"]) != (
            "Resource", "cpu", "Utilization",
        ) or not 50 <= target["averageUtilization"] <= 90:  # fmt: skip
            yield "gateways follow something else than their work"


def transcribers_follow_what_waits(rendered: Rendered) -> Complaints:
    documented = re.search(r"\n    (sum\(steno_audio_waiting.*)\n",
                           (ROOT / "docs/operations.md").read_text())  # fmt: skip
    assert documented is not None
    for each in rendered.kind("ScaledObject"):
        (trigger,) = each["spec"]["triggers"]
        told = trigger["metadata"]
        if (trigger["type"], trigger["metricType"]) != ("prometheus", "AverageValue"):
            yield "the figure is not shared among the workers"
        if told["query"] != documented[1] or told["threshold"] != "5":
            yield "the figure is not that of docs/operations.md"
        if told["ignoreNullValues"] != "false" or not told["serverAddress"].startswith("http"):
            yield "a missing figure passes for zero"
        fallback = each["spec"]["fallback"]
        if fallback["replicas"] != each["spec"]["maxReplicaCount"]:
            yield "without Prometheus there may be too few"
        if not 1 < fallback["failureThreshold"] * each["spec"]["pollingInterval"] <= 60:
            yield "the loss of Prometheus is noticed too late, or too soon"


def metrics_are_read_from_every_pod(rendered: Rendered) -> Complaints:
    monitors = rendered.kind("PodMonitor")
    if bool(monitors) != bool(rendered.kind("ScaledObject")):
        yield "what scales is not measured"
    for monitor in monitors:
        spec = monitor["spec"]
        (endpoint,) = spec["podMetricsEndpoints"]
        own = monitor["metadata"]["name"] == "gateway"
        wanted = {"matchLabels": {"app.kubernetes.io/name": "steno"}}
        if own:
            wanted["matchLabels"]["app.kubernetes.io/component"] = "gateway"
        else:
            wanted["matchLabels"]["steno-metrics"] = "true"
            wanted["matchExpressions"] = [  # type: ignore[assignment]
                {"key": "app.kubernetes.io/component", "operator": "NotIn", "values": ["gateway"]}
            ]
        if spec["selector"] != wanted or (endpoint["port"], endpoint["path"]) != (
            "http", "/metrics",
        ):  # fmt: skip
            yield f"{monitor['metadata']['name']}: reads other pages"
        if ("authorization" in endpoint) != own:
            yield f"{monitor['metadata']['name']}: has no key, or one it does not need"
        if (endpoint["interval"], endpoint["scrapeTimeout"]) != ("5s", "4s"):
            yield "metrics are older than what scales by them wants"


def there_is_one_way_in(rendered: Rendered) -> Complaints:
    ways = rendered.kind("Ingress", "HTTPRoute")
    if len(ways) != 1:
        yield f"{len(ways)} ways lead in"
    for way in ways:
        if way["kind"] == "Ingress":
            (rule,), (tls,) = way["spec"]["rules"], way["spec"]["tls"]
            (path,) = rule["http"]["paths"]
            backend = path["backend"]["service"]
            if (backend["name"], backend["port"]) != ("gateway", {"name": "http"}):
                yield "the way leads elsewhere"
            if (path["path"], path["pathType"]) != ("/", "Prefix"):
                yield "only some pages are reached"
            if tls["hosts"] != [rule["host"]] or not tls["secretName"]:
                yield "the way is open to be listened to"
        else:
            (rule,) = way["spec"]["rules"]
            if rule["backendRefs"] != [{"kind": "Service", "name": "gateway", "port": 8080}]:
                yield "the way leads elsewhere"
            if rule["matches"] != [{"path": {"type": "PathPrefix", "value": "/"}}]:
                yield "only some pages are reached"
            if not all(way["spec"]["hostnames"]) or [*way["spec"]["parentRefs"][0]] != [
                "name", "namespace",
            ]:  # fmt: skip
                yield "the way begins nowhere"


def long_sessions_are_not_cut(rendered: Rendered) -> Complaints:
    for route in rendered.kind("HTTPRoute"):
        (rule,) = route["spec"]["rules"]
        if rule["timeouts"] != {"request": "0s", "backendRequest": "0s"}:
            yield "a socket is taken for a slow request"
        (policy,) = rendered.kind("BackendTrafficPolicy")
        http = policy["spec"]["timeout"]["http"]
        if http != {"requestTimeout": "0s", "streamIdleTimeout": "3600s"}:
            yield "a silent socket is cut"
        (target,) = policy["spec"]["targetRefs"]
        if (target["kind"], target["name"], target["group"]) != (
            "HTTPRoute", route["metadata"]["name"], route["apiVersion"].partition("/")[0],
        ):  # fmt: skip
            yield "the policy is for something else"
