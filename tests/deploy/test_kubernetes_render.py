"""The renderer of these tests gives what kustomize gives."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.kubernetes_render import KUBERNETES, OVERLAYS, build, identity, overlay

KEYS = ("name", "mountPath", "containerPort", "port", "topologyKey")


def ordered(value: Any) -> Any:
    """Give the value with the lists that are merged by a key in the order of that key."""
    if isinstance(value, dict):
        return {key: ordered(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [ordered(item) for item in value]
        for key in KEYS:
            if items and all(isinstance(item, dict) and key in item for item in items):
                return sorted(items, key=lambda item: str(item[key]))
        return items
    return value


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl, which has kustomize in it")
@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_rendered_as_kustomize_renders_it(name: str) -> None:
    command = ["kubectl", "kustomize", str(KUBERNETES / "overlays" / name)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    expected = {identity(each): ordered(each) for each in yaml.safe_load_all(printed)}
    assert {identity(each): ordered(each) for each in overlay(name)} == expected


def written(folder: Path, **files: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump_all(content))
    return folder


def thing(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, **more}


def test_a_patch_merges_by_key_and_removes_what_is_null(tmp_path: Path) -> None:
    old = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "gone": 1, "kept": 2}
    new = {"env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}], "gone": None}
    folder = written(
        tmp_path,
        kustomization=[{"resources": ["thing.yaml"], "patches": [{"path": "patch.yaml"}]}],
        thing=[thing(spec=old)],
        patch=[thing(spec=new)],
    )
    (found,) = build(folder)
    assert found["spec"] == {
        "kept": 2,
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "3"},
            {"name": "C", "value": "4"},
        ],
    }


def test_a_patch_of_a_foreign_kind_replaces_lists(tmp_path: Path) -> None:
    def foreign(ports: list[int]) -> dict[str, Any]:
        spec = {"ports": [{"port": port} for port in ports]}
        return {**thing(spec=spec), "apiVersion": "example.com/v1"}

    folder = written(
        tmp_path,
        kustomization=[{"resources": ["thing.yaml"], "patches": [{"path": "patch.yaml"}]}],
        thing=[foreign([1, 2])],
        patch=[foreign([3])],
    )
    assert build(folder) == [foreign([3])]


def test_what_the_renderer_does_not_understand_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, kustomization=[{"namePrefix": "x-"}])
    with pytest.raises(AssertionError, match="namePrefix"):
        build(folder)


def test_a_patch_of_nothing_is_refused(tmp_path: Path) -> None:
    folder = written(
        tmp_path, kustomization=[{"patches": [{"path": "patch.yaml"}]}], patch=[thing()]
    )
    with pytest.raises(ValueError, match="not enough values"):
        build(folder)
