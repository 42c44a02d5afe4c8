"""Schemas of objects: those of Kubernetes itself, small ones of the foreign kinds used here."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from jsonschema.validators import Draft202012Validator
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource
from tests.deploy.kubernetes_render import Object

VERSIONS: Final = ("1.31.0", "1.37.0")
"""The oldest and the newest Kubernetes that the files are for."""


def _of(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """Give the schema of an object that has nothing else."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


def _list(item: Any) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": item}


_TEXT: Final = {"type": "string", "minLength": 1}
_TEXTS: Final = {"type": "object", "additionalProperties": _TEXT}
_COUNT: Final = {"type": "integer", "minimum": 0}
_DURATION: Final = {"type": "string", "pattern": r"^(\d+(h|m|s|ms))+$"}
_PORT: Final = {"type": "integer", "minimum": 1, "maximum": 65535}
_SELECTOR: Final = _of(
    {"matchLabels": _TEXTS},
    matchExpressions=_list(_of({"key": _TEXT, "operator": _TEXT, "values": _list(_TEXT)})),
)
_SCALING: Final = _of(
    {
        "stabilizationWindowSeconds": _COUNT,
        "policies": _list(_of({"type": _TEXT, "value": _COUNT, "periodSeconds": _COUNT})),
    }
)

FOREIGN: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("keda.sh/v1alpha1", "ScaledObject"): _of(
        {
            "scaleTargetRef": _of({"name": _TEXT}, apiVersion=_TEXT, kind=_TEXT),
            "triggers": _list(
                _of({"type": _TEXT, "metadata": _TEXTS}, metricType={"enum": ["AverageValue"]})
            ),
        },
        pollingInterval=_COUNT,
        minReplicaCount=_COUNT,
        maxReplicaCount=_COUNT,
        fallback=_of({"failureThreshold": _COUNT, "replicas": _COUNT}),
        advanced=_of(
            {
                "horizontalPodAutoscalerConfig": _of(
                    {"behavior": _of({"scaleUp": _SCALING, "scaleDown": _SCALING})}
                )
            }
        ),
    ),
    ("monitoring.coreos.com/v1", "PodMonitor"): _of(
        {
            "selector": _SELECTOR,
            "podMetricsEndpoints": _list(
                _of(
                    {"port": _TEXT},
                    path=_TEXT,
                    interval=_DURATION,
                    scrapeTimeout=_DURATION,
                    authorization=_of({"credentials": _of({"name": _TEXT, "key": _TEXT})}),
                )
            ),
        },
        podTargetLabels=_list(_TEXT),
    ),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): _of(
        {
            "parentRefs": _list(_of({"name": _TEXT}, namespace=_TEXT)),
            "rules": _list(
                _of(
                    {"backendRefs": _list(_of({"name": _TEXT, "port": _PORT}, kind=_TEXT))},
                    matches=_list(_of({"path": _of({"type": _TEXT, "value": _TEXT})})),
                    timeouts=_of({}, request=_DURATION, backendRequest=_DURATION),
                )
            ),
        },
        hostnames=_list(_TEXT),
    ),
    ("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy"): _of(
        {"targetRefs": _list(_of({"group": _TEXT, "kind": _TEXT, "name": _TEXT}))},
        timeout=_of({"http": _of({}, requestTimeout=_DURATION, streamIdleTimeout=_DURATION)}),
    ),
}
"""The `spec` of kinds that Kubernetes itself does not know, as far as it is used here."""


@cache
def _definitions(version: str) -> Any:
    folder = f"kubernetes-json-schema/v{version}-local-strict"
    return Resource.from_contents(schema_contents(f"{folder}/_definitions.json", version))


@cache
def _validator(version: str, api_version: str, kind: str) -> Any:
    folder = f"kubernetes-json-schema/v{version}-local-strict"
    api = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = schema_contents(f"{folder}/{kind.lower()}-{api}.json", version)
    registry = _definitions(version) @ (Resource.from_contents(schema) @ Registry())
    return Draft202012Validator(schema, registry=registry)


def faults(thing: Object, version: str) -> Iterator[str]:
    """Give what is wrong with an object for a version of Kubernetes."""
    api_version, kind = thing.get("apiVersion"), thing.get("kind")
    if not api_version or not kind:
        yield "it is of no kind"
        return
    if (api_version, kind) in FOREIGN:
        validator = Draft202012Validator(FOREIGN[api_version, kind])
        yield from (error.message for error in validator.iter_errors(thing.get("spec")))
    else:
        try:
            validator = _validator(version, api_version, kind)
        except FileNotFoundError:
            yield f"nobody knows a {kind} of {api_version}"
            return
        yield from (error.message for error in validator.iter_errors(thing))
