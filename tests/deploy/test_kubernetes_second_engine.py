"""The kustomization of a second engine, as the documentation gives it."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not there")
def test_a_second_engine_is_a_deployment_beside_the_first(tmp_path: Path) -> None:
    section = (ROOT / "docs/kubernetes.md").read_text().partition("## A second engine")[2]
    (tmp_path / "kustomization.yaml").write_text(section.split("```")[1].removeprefix("yaml\n"))
    shutil.copy(ROOT / "deploy/k8s/base/transcriber.yaml", tmp_path)
    command = ["kubectl", "kustomize", str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    objects = {each["kind"]: each for each in yaml.safe_load_all(printed.stdout)}
    assert set(objects) == {"ServiceAccount", "Deployment"}
    spec = objects["Deployment"]["spec"]
    assert objects["Deployment"]["metadata"]["name"] == "transcriber-second"
    assert spec["selector"]["matchLabels"]["steno-engine"] == "second"
    assert spec["template"]["metadata"]["labels"]["app.kubernetes.io/component"] == "transcriber"
    (container,) = spec["template"]["spec"]["containers"]
    assert {"name": "STENO_ENGINE", "value": "pocketsphinx"} in container["env"]
