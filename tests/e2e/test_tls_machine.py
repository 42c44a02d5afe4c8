"""`make run` with a certificate."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.e2e.machine import SAMPLES, printed, running, steno

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")


def test_a_machine_with_a_certificate_is_reached_by_tls(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=steno",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with running(tmp_path, STENO_TLS_CERT=str(cert), STENO_TLS_KEY=str(key)) as machine:
        assert machine.url.startswith("https://")
        hello = str(SAMPLES / "hello.wav")
        assert printed(steno(machine, "transcribe", hello, "--pace", "fast", "--ca", str(cert)))
        assert f"Console  {machine.url}" in (tmp_path / "steno.log").read_text()
