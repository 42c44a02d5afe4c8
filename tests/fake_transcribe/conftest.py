"""What is made once for all tests of the fake."""

from pathlib import Path

import pytest
from tests.fake_transcribe.authority import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder: Path = tmp_path_factory.mktemp("authority")
    return Authority(folder / "ca.pem")
