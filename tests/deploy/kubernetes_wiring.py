"""Policies of what refers to what: labels, ports, volumes, secrets, settings."""

from collections.abc import Iterator
from typing import Final

from tests.deploy.kubernetes_objects import SERVICES, Rendered, Workload, quantity
from tests.deploy.test_compose_settings import READ, settings

from steno_common.settings import load

Complaints = Iterator[str]

SECRETS: Final = {
    "redis": {"password", "url"},
    "gateway": {"api-keys", "token-secret", "metrics-key"},
}
"""What whoever installs Steno has to make."""
NOT_OURS: Final = {"HF_HUB_OFFLINE", "POD_NAME", "REDISCLI_AUTH"}


def everything_is_labelled(rendered: Rendered) -> Complaints:
    for workload in rendered.workloads:
        wanted = {
            "app.kubernetes.io/name": "steno",
            "app.kubernetes.io/part-of": "steno",
            "app.kubernetes.io/component": workload.name,
        }
        if not wanted.items() <= workload.labels.items():
            yield f"{workload.name}: its pods cannot be told from others"
    for each in rendered.objects:
        name, labels = each["metadata"]["name"], each["metadata"]["labels"]
        if labels["app.kubernetes.io/part-of"] != "steno":
            yield f"{name}: belongs to something else"
        if each["kind"] in {"Deployment", "StatefulSet", "Service", "Job"} and (
            labels["app.kubernetes.io/component"] != name.partition("-")[0]
        ):
            yield f"{name}: is another part"


def selectors_take_their_own_pods(rendered: Rendered) -> Complaints:
    own = {"app.kubernetes.io/name": "steno"}
    for workload in rendered.staying:
        wanted = {"matchLabels": {**own, "app.kubernetes.io/component": workload.name}}
        spread = workload.pod["topologySpreadConstraints"]
        for selector in (
            workload.object["spec"]["selector"],
            rendered.named("PodDisruptionBudget", workload.name)["spec"]["selector"],
            *(each["labelSelector"] for each in spread),
        ):
            if selector != wanted:
                yield f"{workload.name}: {selector} does not take its pods alone"
    for service in rendered.kind("Service"):
        name = service["metadata"]["name"]
        workload, _, number = name.partition("-")
        pod = {"statefulset.kubernetes.io/pod-name": name} if number else {}
        if service["spec"]["selector"] != {**own, "app.kubernetes.io/component": workload, **pod}:
            yield f"service {name}: does not lead to its pods"


def service_ports_lead_to_pods(rendered: Rendered) -> Complaints:
    by_name = {workload.name: workload for workload in rendered.staying}
    for service in rendered.kind("Service"):
        name = service["metadata"]["name"]
        offered = {port["name"]: port["port"] for port in service["spec"]["ports"]}
        targets = {port["name"]: port["targetPort"] for port in service["spec"]["ports"]}
        wanted = dict(by_name[name.partition("-")[0]].ports)
        if name == "redis":  # only gives the pods their names
            wanted.pop("sentinel", None)
        if offered != wanted or any(key != value for key, value in targets.items()):
            yield f"service {name}: {offered} leads nowhere"
        if any(port["protocol"] != "TCP" for port in service["spec"]["ports"]):
            yield f"service {name}: does not speak TCP"
        # Redis are asked for each other while they get ready.
        if ("publishNotReadyAddresses" in service["spec"]) != name.startswith("redis") or not (
            service["spec"].get("publishNotReadyAddresses", True)
        ):
            yield f"service {name}: is found too early, or too late"
    if rendered.named("Service", "redis")["spec"]["clusterIP"] != "None":
        yield "service redis: its pods cannot find each other"
    if rendered.named("StatefulSet", "redis")["spec"]["serviceName"] != "redis":
        yield "redis: its pods have no names"


def volumes_are_there(rendered: Rendered) -> Complaints:
    mounted: dict[str, set[str]] = {}
    for workload in rendered.workloads:
        volumes = {volume["name"]: volume for volume in workload.pod.get("volumes", [])}
        used = {
            mount["name"]
            for container in (*workload.first, *workload.containers)
            for mount in container["volumeMounts"]
        }
        if used != volumes.keys():
            yield f"{workload.name}: mounts {used} of {set(volumes)}"
        for volume in volumes.values():
            if claim := volume.get("persistentVolumeClaim"):
                mounted.setdefault(claim["claimName"], set()).add(workload.name)
            if "configMap" in volume:
                rendered.named("ConfigMap", volume["configMap"]["name"])
    for claim in rendered.kind("PersistentVolumeClaim"):
        users = mounted.pop(claim["metadata"]["name"])
        # Each of them has pods on several nodes.
        if claim["spec"]["accessModes"] != ["ReadWriteMany"]:
            yield f"{claim['metadata']['name']}: {users} cannot share it"
        if quantity(claim["spec"]["resources"]["requests"]["storage"]) < 2**30:
            yield f"{claim['metadata']['name']}: is too small"
    if mounted:
        yield f"nobody makes {set(mounted)}"


def pods_mount_what_they_need(rendered: Rendered) -> Complaints:
    wanted = {
        "gateway": {"/tmp", "/etc/steno", "/output"},
        "transcriber": {"/tmp", "/models"},
        "aggregator": {"/tmp", "/output"},
        "notifier": {"/tmp"},
        "model": {"/tmp", "/models"},
        "redis": {"/etc/steno", "/memory"},
    }
    read = {"/etc/steno"}
    for place, workload, container in rendered.containers():
        mounts = {
            each["mountPath"]: each.get("readOnly", False) for each in container["volumeMounts"]
        }
        if mounts.keys() != wanted[workload.name]:
            yield f"{place}: mounts {set(mounts)}"
        only_read = read | ({"/models"} if workload.name == "transcriber" else set())
        if any(value != (path in only_read) for path, value in mounts.items()):
            yield f"{place}: writes what it should read"


def _secrets(rendered: Rendered) -> Iterator[tuple[str, str, str]]:
    """Give who uses which key of which secret."""
    for place, workload, container in rendered.containers():
        for variable in container.get("env", []):
            if source := variable.get("valueFrom", {}).get("secretKeyRef"):
                yield place, source["name"], source["key"]
        for volume in workload.pod.get("volumes", []):
            for item in volume.get("secret", {}).get("items", []):
                yield place, volume["secret"]["secretName"], item["key"]
    for monitor in rendered.kind("PodMonitor"):
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            if "authorization" in endpoint:
                source = endpoint["authorization"]["credentials"]
                yield monitor["metadata"]["name"], source["name"], source["key"]


def secrets_are_the_documented_ones(rendered: Rendered) -> Complaints:
    if rendered.kind("Secret"):
        yield "a secret is in the files"
    for place, name, key in _secrets(rendered):
        if key not in SECRETS[name]:
            yield f"{place}: nobody makes {key} of {name}"


def _service_of(workload: Workload) -> str:
    return "transcriber" if workload.name == "model" else workload.name


def variables_are_settings(rendered: Rendered) -> Complaints:
    for place, workload, container in rendered.containers():
        environment = rendered.environment(container)
        given = {variable["name"] for variable in container.get("env", [])}
        if workload.name == "redis":
            if not given <= NOT_OURS:
                yield f"{place}: does not read {given - NOT_OURS}"
            continue
        service = _service_of(workload)
        if unknown := given - settings(service).keys() - NOT_OURS:
            yield f"{place}: does not read {unknown}"
        known = {key: value for key, value in environment.items() if value is not None}
        for kind in READ[service]:
            load(kind, known)  # raises what is wrong with the values
    shared = set(rendered.named("ConfigMap", "settings")["data"])
    if unknown := shared - {name for each in SERVICES for name in settings(each)}:
        yield f"settings: nobody reads {unknown}"


def services_are_told_what_they_need(rendered: Rendered) -> Complaints:
    for place, workload, container in rendered.containers():
        environment = rendered.environment(container)
        if workload.name == "redis":
            if "sentinel" not in place and "REDISCLI_AUTH" not in environment:
                yield f"{place}: does not know the password"
            continue
        if container["envFrom"] != [{"configMapRef": {"name": "settings"}}]:
            yield f"{place}: does not know the settings"
        if workload.name in SERVICES and "STENO_REDIS_URL" not in environment:
            yield f"{place}: does not know Redis"


def gateways_ask_who_is_there(rendered: Rendered) -> Complaints:
    pod = rendered.named("Deployment", "gateway")["spec"]["template"]["spec"]
    environment = rendered.environment(pod["containers"][0])
    (secret,) = (volume["secret"] for volume in pod["volumes"] if "secret" in volume)
    if environment["STENO_API_KEYS_FILE"] not in {
        f"/etc/steno/{item['path']}" for item in secret["items"]
    }:
        yield "the gateway asks nobody who they are"
    # Several gateways take each other's tokens; the limits per address are not for the proxy.
    if "STENO_TOKEN_SECRET" not in environment or not environment["STENO_TRUSTED_PROXIES"]:
        yield "a gateway behaves as if it were the only one"


def transcribers_have_their_model(rendered: Rendered) -> Complaints:
    for place, workload, container in rendered.containers():
        if _service_of(workload) != "transcriber":
            continue
        environment = rendered.environment(container)
        if environment["STENO_ENGINE"] != "whisper" or not environment["STENO_WHISPER_MODEL"]:
            yield f"{place}: becomes ready with another engine"
        if workload.name == "transcriber":
            if environment["HF_HUB_OFFLINE"] != "1":
                yield f"{place}: looks for a way to the internet that is closed"
        elif container["args"] != ["fetch"]:
            yield f"{place}: does not fetch"
        elif float(environment["STENO_MODEL_FETCH_SECONDS"] or 0) < 600:
            yield f"{place}: cannot fetch a large model"
