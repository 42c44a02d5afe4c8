"""Fixtures of the integration tests."""

import pytest


@pytest.fixture(autouse=True)
def patient_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let gateways wait for clients: one that a test does not read for a while answers no ping."""
    monkeypatch.setattr("steno_gateway.socket.HEARTBEAT_SECONDS", 600.0)
