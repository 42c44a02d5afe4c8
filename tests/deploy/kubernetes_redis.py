"""Policies of Redis: what it keeps, where, with whom."""

from collections.abc import Iterator

from tests.deploy.kubernetes_objects import Rendered, quantity

Complaints = Iterator[str]


def _several_redis(rendered: Rendered) -> bool:
    return bool(rendered.named("StatefulSet", "redis")["spec"]["replicas"] > 1)


def _options(text: str) -> dict[str, str]:
    lines = [line.split(maxsplit=1) for line in text.splitlines() if not line.startswith("#")]
    return {line[0]: line[1] for line in lines}


def redis_keeps_what_it_acknowledged(rendered: Rendered) -> Complaints:
    options = _options(rendered.named("ConfigMap", "redis")["data"]["redis.conf"])
    wanted = {
        "dir": "/memory", "bind": "* -::*", "appendonly": "yes", "appendfsync": "no",
        "save": '""', "maxmemory-policy": "noeviction", "maxmemory": "512mb",
        "auto-aof-rewrite-min-size": "256mb", "loglevel": "notice",
    }  # fmt: skip
    if options != wanted:
        yield f"Redis is told {options}"
    pod = rendered.named("StatefulSet", "redis")["spec"]["template"]["spec"]
    memory = {volume["name"]: volume for volume in pod["volumes"]}["memory"]["emptyDir"]
    # A rewrite keeps the old log beside the new one.
    if memory["medium"] != "Memory" or quantity(memory["sizeLimit"]) < 4 * (512 << 20):
        yield f"its log is in {memory}"
    scripts = rendered.named("ConfigMap", "redis")["data"]
    command = ["/bin/sh", "/etc/steno/supervise.sh", "redis-server"]
    for container in pod["containers"]:
        more = {
            "redis": ["/memory/redis.conf"],
            "sentinel": ["/memory/sentinel.conf", "--sentinel"],
        }[container["name"]]
        if container["command"] != [*command, *more] or "supervise.sh" not in scripts:
            yield f"{container['name']}: is not started again in its place"
    (prepare,) = pod["initContainers"]
    if prepare["command"] != ["/bin/sh", "/etc/steno/prepare.sh"] or "prepare.sh" not in scripts:
        yield "nobody prepares Redis"
    if "requirepass" not in scripts["prepare.sh"]:
        yield "Redis asks for no password"


def memory_in_volumes_is_counted(rendered: Rendered) -> Complaints:
    stored = {"redis": 512 << 20}
    for workload in rendered.workloads:
        held = sum(quantity(each["emptyDir"]["sizeLimit"])
                   for each in workload.pod["volumes"] if "emptyDir" in each)  # fmt: skip
        if any(v["emptyDir"]["medium"] != "Memory" for v in workload.pod["volumes"]
               if "emptyDir" in v):  # fmt: skip
            yield f"{workload.name}: writes audio to a disk"
        limit = quantity(workload.containers[0]["resources"]["limits"]["memory"])
        if held + 1.3 * stored.get(workload.name, 0) > limit:
            yield f"{workload.name}: {held:g} bytes of volumes leave too little of {limit:g}"


def several_redis_agree(rendered: Rendered) -> Complaints:
    redis = rendered.named("StatefulSet", "redis")["spec"]
    names = [each["name"] for each in redis["template"]["spec"]["containers"]]
    scripts = rendered.named("ConfigMap", "redis")["data"]
    settings = rendered.named("ConfigMap", "settings")["data"]
    if not _several_redis(rendered):
        if redis["replicas"] != 1 or names != ["redis"] or "STENO_REPLICAS" in settings:
            yield "a single Redis is told of others"
        return
    if redis["replicas"] != 3 or names != ["redis", "sentinel"]:
        yield "fewer than three cannot agree, and more are not asked"
    if settings["STENO_REPLICAS"] != "1":
        yield "an answer counts before a replica has it"
    for text in ("min-replicas-to-write 1", "sentinel monitor steno %s 6379 2", "masterauth"):
        if text not in scripts["prepare.sh"]:
            yield f"{text} is missing"
    hooks = [each["lifecycle"]["preStop"] for each in redis["template"]["spec"]["containers"]]
    if hooks[0] != {"exec": {"command": ["/bin/sh", "/etc/steno/leave.sh"]}}:
        yield "a master goes without a word"
    if hooks[1]["sleep"]["seconds"] < 6 or "failover steno" not in scripts["leave.sh"]:
        yield "its Sentinel goes first"


def several_redis_can_be_told_apart(rendered: Rendered) -> Complaints:
    services = {each["metadata"]["name"] for each in rendered.kind("Service")}
    numbered = {name for name in services if name.startswith("redis-")}
    if numbered != ({"redis-0", "redis-1", "redis-2"} if _several_redis(rendered) else set()):
        yield "a pod has no address that stays"
    pod = rendered.named("StatefulSet", "redis")["spec"]["template"]["spec"]
    (prepare,) = pod["initContainers"]
    told = {
        each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"]
        for each in prepare["env"]
        if "fieldRef" in each["valueFrom"]
    }
    if told != ({"POD_NAME": "metadata.name"} if _several_redis(rendered) else {}):
        yield "a pod does not know who it is"
