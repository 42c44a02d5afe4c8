"""Policies of where pods run, how they are replaced."""

from collections.abc import Iterator
from typing import Final

from tests.deploy.kubernetes_objects import SERVICES, Rendered
from tests.deploy.kubernetes_render import Object

Complaints = Iterator[str]

GPU: Final = "nvidia.com/gpu"


def _uses_gpu(pod: Object) -> bool:
    return any(GPU in each["resources"]["limits"] for each in pod["containers"])


def everything_is_there(rendered: Rendered) -> Complaints:
    if sorted(w.name for w in rendered.staying) != sorted((*SERVICES, "redis")):
        yield "a service is missing"
    if not any(workload.name == "model" for workload in rendered.workloads):
        yield "nobody fetches the model"


def the_namespace_is_restricted(rendered: Rendered) -> Complaints:
    (namespace,) = rendered.kind("Namespace")
    labels = namespace["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        if labels[f"pod-security.kubernetes.io/{mode}"] != "restricted":
            yield f"{mode} is not restricted"
    if labels["pod-security.kubernetes.io/enforce-version"] != "latest":
        yield "an old standard is enforced"
    for each in rendered.objects:
        placed = each["metadata"].get("namespace")
        if each is not namespace and placed != namespace["metadata"]["name"]:
            yield f"{each['kind']} {each['metadata']['name']} is in {placed}"


def the_model_is_fetched_once(rendered: Rendered) -> Complaints:
    spec = rendered.named("Job", "model")["spec"]
    if (
        spec["template"]["spec"]["restartPolicy"] != "OnFailure"
        or not 3 <= spec["backoffLimit"] <= 20
    ):
        yield "a hub that is away for a moment is the end of it"
    if not 0 < spec["ttlSecondsAfterFinished"] <= 600:
        yield "another model cannot be fetched"


def rollouts_leave_nobody_without(rendered: Rendered) -> Complaints:
    for deployment in rendered.kind("Deployment"):
        name, spec = deployment["metadata"]["name"], deployment["spec"]
        rolling = spec["strategy"]["rollingUpdate"]
        gpu = _uses_gpu(spec["template"]["spec"])
        # There may be no spare GPU for a second one.
        wanted = {"maxUnavailable": int(gpu), "maxSurge": int(not gpu)}
        if rolling != wanted or spec["strategy"]["type"] != "RollingUpdate":
            yield f"{name}: is replaced by {rolling}"
    stateful = rendered.named("StatefulSet", "redis")["spec"]
    if stateful["podManagementPolicy"] != "OrderedReady":
        yield "redis: the first pod is not the first"
    if stateful["updateStrategy"] != {"type": "RollingUpdate"}:
        yield "redis: is not replaced one by one"


def evictions_take_one_at_a_time(rendered: Rendered) -> Complaints:
    for workload in rendered.staying:
        budget = rendered.named("PodDisruptionBudget", workload.name)["spec"]
        # The pod of a single Redis holds all live sessions.
        alone = workload.name == "redis" and workload.object["spec"]["replicas"] == 1
        if budget["maxUnavailable"] != (0 if alone else 1):
            yield f"{workload.name}: {budget['maxUnavailable']} may go at once"


def pods_are_spread(rendered: Rendered) -> Complaints:
    for workload in rendered.staying:
        spread = {
            each["topologyKey"]: (each["maxSkew"], each["whenUnsatisfiable"])
            for each in workload.pod["topologySpreadConstraints"]
        }
        apart = "DoNotSchedule" if workload.name == "redis" else "ScheduleAnyway"
        wanted = {
            "kubernetes.io/hostname": (1, apart),
            "topology.kubernetes.io/zone": (1, "ScheduleAnyway"),
        }
        if spread != wanted:
            yield f"{workload.name}: is spread by {spread}"


def gpus_are_not_shared(rendered: Rendered) -> Complaints:
    pod = rendered.named("Deployment", "transcriber")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    cuda = rendered.environment(container).get("STENO_DEVICE") == "cuda"
    image = container["image"].rpartition(":")[0].endswith("-cuda")
    if not (cuda == image == _uses_gpu(pod)):
        yield "the image, the device and the GPU do not fit each other"
    if _uses_gpu(pod):
        if container["resources"]["limits"][GPU] != "1":
            yield "a transcriber uses one GPU"
        if pod["runtimeClassName"] != "nvidia" or pod["nodeSelector"] != {f"{GPU}.present": "true"}:
            yield "the node may have no GPU"
        if pod["tolerations"] != [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}]:
            yield "nodes with GPUs keep it away"
