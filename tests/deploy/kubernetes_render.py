"""Kustomize as far as deploy/k8s uses it: resources, components, patches, images, labels."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml

Object = dict[str, Any]
"""A Kubernetes object, as YAML gives it."""

KUBERNETES: Final = Path(__file__).parents[2] / "deploy/k8s"
OVERLAYS: Final = ("cpu", "gpu", "ha")

_FIELDS: Final = {
    "apiVersion", "kind", "namespace", "labels", "resources", "components", "patches", "images",
}  # fmt: skip
"""What is not here is not understood here, and so must not be in the files."""

_KEYS: Final = ("name", "mountPath", "containerPort", "port")
_MERGED: Final = {"containers", "env", "initContainers", "ports", "volumeMounts", "volumes"}
"""Lists whose items a patch merges by the first of these keys that they have."""

_WITHOUT_NAMESPACE: Final = {"Namespace"}


def documents(path: Path) -> Iterator[Object]:
    """Give the objects of a file."""
    yield from (found for found in yaml.safe_load_all(path.read_text()) if found)


def identity(thing: Object) -> tuple[str, str, str]:
    """Give what makes an object the same in another file."""
    return thing["apiVersion"].rpartition("/")[0], thing["kind"], thing["metadata"]["name"]


def build(folder: Path) -> list[Object]:
    """Give what `kubectl kustomize` prints for a folder, in another order."""
    return _applied(folder, [])


def overlay(name: str) -> list[Object]:
    """Give the objects of an overlay of deploy/k8s."""
    return build(KUBERNETES / "overlays" / name)


def _applied(folder: Path, objects: Sequence[Object]) -> list[Object]:
    """Apply a kustomization or a component to the objects before it."""
    (wanted,) = documents(folder / "kustomization.yaml")
    assert wanted.keys() <= _FIELDS, f"{folder}: {wanted.keys() - _FIELDS} is not understood"
    found = list(objects)
    for name in wanted.get("resources", []):
        path = folder / name
        found += build(path) if path.is_dir() else documents(path)
    for name in wanted.get("components", []):
        found = _applied(folder / name, found)
    for patch in wanted.get("patches", []):
        assert patch.keys() == {"path"}
        for each in documents(folder / patch["path"]):
            found = _patched(found, each)
    for image in wanted.get("images", []):
        found = [_with_image(each, image) for each in found]
    for label in wanted.get("labels", []):
        assert label.keys() == {"pairs", "includeTemplates"}
        found = [_labelled(each, label["pairs"]) for each in found]
    if "namespace" in wanted:
        found = [_placed(each, wanted["namespace"]) for each in found]
    assert len({identity(each) for each in found}) == len(found), "an object is there twice"
    return found


def _patched(objects: Sequence[Object], patch: Object) -> list[Object]:
    (place,) = (n for n, each in enumerate(objects) if identity(each) == identity(patch))
    # Only the kinds of Kubernetes itself say how their lists are merged.
    core = "." not in patch["apiVersion"] or patch["apiVersion"].split("/")[0].endswith(".k8s.io")
    found = list(objects)
    found[place] = _merged(objects[place], patch, lists=core)
    return found


def _merged(old: Any, new: Any, *, lists: bool, name: str = "") -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        out = {key: value for key, value in old.items() if key not in new}
        for key, value in new.items():
            if value is not None:
                out[key] = _merged(old.get(key), value, lists=lists, name=key)
        return out
    if isinstance(old, list) and isinstance(new, list) and lists and name in _MERGED:
        return _merged_list(old, new)
    return deepcopy(new)


def _merged_list(old: Sequence[Object], new: Sequence[Object]) -> list[Object]:
    key = next(key for key in _KEYS if all(key in item for item in (*old, *new)))
    given = {item[key]: item for item in new}
    out = [_merged(item, given.pop(item[key], {}), lists=True) for item in old]
    return [*out, *(deepcopy(item) for item in given.values())]


def _with_image(thing: Object, image: dict[str, str]) -> Object:
    thing = deepcopy(thing)
    pod = pod_of(thing) or {}
    for container in (*pod.get("initContainers", []), *pod.get("containers", [])):
        name, _, tag = container["image"].rpartition(":")
        if name == image["name"]:
            container["image"] = f"{image.get('newName', name)}:{image.get('newTag', tag)}"
    return thing


def _labelled(thing: Object, pairs: dict[str, str]) -> Object:
    thing = deepcopy(thing)
    places = [thing, thing["spec"]["template"]] if pod_of(thing) else [thing]
    for place in places:
        metadata = place.setdefault("metadata", {})
        metadata["labels"] = {**metadata.get("labels", {}), **pairs}
    return thing


def _placed(thing: Object, namespace: str) -> Object:
    if thing["kind"] in _WITHOUT_NAMESPACE:
        return {**thing, "metadata": {**thing["metadata"], "name": namespace}}
    return {**thing, "metadata": {**thing["metadata"], "namespace": namespace}}


def pod_of(thing: Object) -> Object | None:
    """Give the pod that an object makes, if it makes any."""
    spec: Object | None = thing.get("spec", {}).get("template", {}).get("spec")
    return spec
