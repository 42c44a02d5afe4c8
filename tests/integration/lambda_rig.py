"""AWS Lambda on this machine: the API as moto serves it, in a process of its own."""

import io
import json
import os
import subprocess
import sys
import time
import urllib.request
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from bench.ports import free_port

REGION = "eu-central-1"
FUNCTION = "translate"


@dataclass(frozen=True)
class Aws:
    """An AWS that answers at `url`."""

    url: str

    def post(self, path: str, body: Any = None) -> bytes:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    def client(self, service: str) -> Any:
        return botocore.session.get_session().create_client(
            service, REGION, endpoint_url=self.url,
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip

    def create(self, name: str = FUNCTION) -> None:
        """Create a function; calls are taken, and nothing runs."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("pipeline.py", "def handler(event, context): return None")
        role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
        self.client("lambda").create_function(
            FunctionName=name, Runtime="python3.13", Role=role["Role"]["Arn"],
            Handler="pipeline.handler", Code={"ZipFile": packed.getvalue()},
        )  # fmt: skip

    def record(self) -> None:
        """Note all requests from now on."""
        self.post("/moto-api/recorder/reset-recording")
        self.post("/moto-api/recorder/start-recording")

    def invoked(self) -> list[tuple[str, dict[str, str], bytes]]:
        """Give path, headers, payload of each call since."""
        with urllib.request.urlopen(
            f"{self.url}/moto-api/recorder/download-recording", timeout=60
        ) as answer:
            noted = [json.loads(line) for line in answer.read().splitlines()]
        return [
            (each["url"].removeprefix(self.url), each["headers"],
             b64decode(each["body"]) if each["body_encoded"] else each["body"].encode())
            for each in noted if each["url"].endswith("/invocations")
        ]  # fmt: skip


@contextmanager
def aws(folder: Path) -> Iterator[Aws]:
    """Run AWS; what it notes it writes into a folder."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env=os.environ | {"MOTO_RECORDER_FILEPATH": str(folder / "requests")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        found = Aws(f"http://127.0.0.1:{port}")
        _prepare(found)
        yield found
    finally:
        server.kill()
        server.wait()


def _prepare(found: Aws) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            # Otherwise each function is a container.
            found.post("/moto-api/config", {"lambda": {"use_docker": False}})
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
