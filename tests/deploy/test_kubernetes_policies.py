"""What is in deploy/k8s keeps every policy, and no way to break it goes unnoticed."""

import re
from collections import Counter

import pytest
from tests.deploy.kubernetes_mutants import Mutant, changed, generated, paths
from tests.deploy.kubernetes_objects import Rendered
from tests.deploy.kubernetes_policies import POLICIES, complaints
from tests.deploy.kubernetes_render import KUBERNETES, OVERLAYS, build, overlay
from tests.deploy.kubernetes_schemas import FOREIGN, VERSIONS, faults
from tests.deploy.kubernetes_wiring import SECRETS

FREE = {
    r"ConfigMap settings data\.STENO_WHISPER_MODEL": "any model",
    r"ConfigMap settings data\.STENO_TRUSTED_PROXIES": "any addresses",
    r"ConfigMap redis data\.(prepare|supervise|leave)\.sh": "run by tests of their own",
    r"NetworkPolicy \S+ metadata\.name": "nobody refers to it",
    r"(Ingress|PodMonitor|BackendTrafficPolicy) \S+ metadata\.name": "nobody refers to it",
    r"Ingress gateway spec\.tls\.0\.secretName": "whoever installs makes it",
    r"ScaledObject .*metadata\.serverAddress": "wherever Prometheus is",
    r"HTTPRoute gateway spec\.(parentRefs\.0\.name(space)?|hostnames\.0)": "wherever the edge is",
}
"""Values that may be others."""


@pytest.fixture(scope="module")
def overlays() -> dict[str, Rendered]:
    return {name: Rendered(overlay(name)) for name in OVERLAYS}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_keeps_the_policy(overlays: dict[str, Rendered], name: str, policy: str) -> None:
    assert complaints(POLICIES[policy], overlays[name]) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", OVERLAYS)
def test_kubernetes_takes_every_object_of_an_overlay(
    overlays: dict[str, Rendered], name: str, version: str
) -> None:
    for each in overlays[name].objects:
        found = list(faults(each, version))
        assert found == [], f"{each['kind']} {each['metadata']['name']}"


def test_every_foreign_kind_is_used_somewhere(overlays: dict[str, Rendered]) -> None:
    used = {(o["apiVersion"], o["kind"]) for each in overlays.values() for o in each.objects}
    assert FOREIGN.keys() <= used


def test_the_overlay_without_foreign_kinds_has_none(overlays: dict[str, Rendered]) -> None:
    assert not {(o["apiVersion"], o["kind"]) for o in overlays["cpu"].objects} & FOREIGN.keys()


def test_several_redis_and_gpus_go_together(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = KUBERNETES / "overlays/ha"
    text = (folder / "kustomization.yaml").read_text().replace("../../", f"{KUBERNETES}/")
    both = text.replace("components:\n", f"components:\n  - {KUBERNETES}/components/gpu\n")
    target = tmp_path_factory.mktemp("both")
    (target / "kustomization.yaml").write_text(both)
    (target / "numbers.yaml").write_text((folder / "numbers.yaml").read_text())
    rendered = Rendered(build(target))
    assert [fault for rule in POLICIES.values() for fault in complaints(rule, rendered)] == []


def test_every_secret_is_made_by_the_commands_of_the_documentation() -> None:
    text = (KUBERNETES.parents[1] / "docs/kubernetes.md").read_text()
    for name, keys in SECRETS.items():
        (command,) = re.findall(rf"create secret generic {name} (.*)", text)
        assert set(re.findall(r"--from-literal=([a-z-]+)=", command)) == keys


def caught_by(mutant: Mutant, seen: Counter[str]) -> str | None:
    """Give a policy that complains, asking those first that caught least; then the schemas."""
    for name in sorted(POLICIES, key=lambda name: seen[name]):
        if complaints(POLICIES[name], mutant.rendered):
            return name
    if any(fault for version in VERSIONS for fault in faults(mutant.broken, version)):
        return "schema"
    return None


@pytest.mark.timeout(300)
def test_every_field_is_needed_and_every_policy_catches_something(
    overlays: dict[str, Rendered],
) -> None:
    seen: Counter[str] = Counter()
    survivors = []
    for mutant in generated(list(overlays.values())):
        name = caught_by(mutant, seen)
        if name is None:
            survivors.append(mutant.name)
        else:
            seen[name] += 1
    assert [each for each in survivors if not any(re.fullmatch(p, each) for p in FREE)] == []
    assert [p for p in FREE if not any(re.fullmatch(p, each) for each in survivors)] == []
    assert POLICIES.keys() - seen.keys() == set()
    assert sum(seen.values()) > 3_000


BREAKS = [
    ("images_are_pinned", "cpu", "Deployment gateway", "image", "steno-gateway:latest"),
    ("images_are_pinned", "cpu", "StatefulSet redis", "image", "redis:7"),
    ("images_are_pinned", "cpu", "Deployment gateway", "image", "steno-gateway:9.9.9"),
    ("containers_have_requests_and_limits", "gpu", "Deployment transcriber",
     "nvidia.com/gpu", "2"),
    ("containers_have_requests_and_limits", "cpu", "Deployment notifier", "memory", "4Gi"),
    ("containers_are_probed", "cpu", "Deployment gateway", "path", "/readyz"),
    ("pods_have_time_to_drain", "cpu", "Deployment gateway", "seconds", 30),
    ("services_listen_on_their_ports", "cpu", "Deployment notifier", "containerPort", 8082),
    ("service_ports_lead_to_pods", "cpu", "Service gateway", "targetPort", "web"),
    ("memory_in_volumes_is_counted", "cpu", "StatefulSet redis", "sizeLimit", "3Gi"),
    ("memory_in_volumes_is_counted", "cpu", "Deployment gateway", "medium", ""),
    ("redis_keeps_what_it_acknowledged", "cpu", "StatefulSet redis", "medium", ""),
    ("only_some_reach_the_internet_and_nothing_private", "cpu",
     "NetworkPolicy notifier-to-internet", "except", ["10.0.0.0/8"]),
    ("rollouts_leave_nobody_without", "gpu", "Deployment transcriber", "maxUnavailable", 0),
    ("evictions_take_one_at_a_time", "ha", "PodDisruptionBudget redis", "maxUnavailable", 2),
    ("transcribers_follow_what_waits", "gpu", "ScaledObject transcriber", "query", "vector(1)"),
    ("transcribers_follow_what_waits", "gpu", "ScaledObject transcriber", "replicas", 2),
    ("scaling_is_quick_up_and_slow_down", "gpu", "ScaledObject transcriber",
     "stabilizationWindowSeconds", 300),
    ("long_sessions_are_not_cut", "gpu", "HTTPRoute gateway", "request", "15s"),
    ("variables_are_settings", "cpu", "ConfigMap settings", "STENO_ENGINE", "kaldi"),
    ("several_redis_agree", "ha", "ConfigMap settings", "STENO_REPLICAS", "0"),
    ("volumes_are_there", "cpu", "PersistentVolumeClaim transcripts", "accessModes",
     ["ReadWriteOnce"]),
    ("the_namespace_is_restricted", "cpu", "Namespace steno",
     "pod-security.kubernetes.io/enforce", "baseline"),
]  # fmt: skip
"""Policy, overlay, object, field, value: mistakes that somebody could make."""


@pytest.mark.parametrize(("policy", "name", "thing", "field", "value"), BREAKS)
def test_a_likely_mistake_is_caught_by_its_policy(
    overlays: dict[str, Rendered], policy: str, name: str, thing: str, field: str, value: object
) -> None:
    mutant = with_mistake(overlays[name], thing, field, value)
    assert complaints(POLICIES[policy], mutant.rendered), mutant.name


def with_mistake(rendered: Rendered, thing: str, field: str, value: object) -> Mutant:
    """Give a copy with another value where the field comes first."""
    (number,) = (
        number
        for number, each in enumerate(rendered.objects)
        if f"{each['kind']} {each['metadata']['name']}" == thing
    )
    first = next(path for path in paths(rendered.objects[number]) if path[-1] == field)
    return changed(rendered, number, first, value)
