"""The errors that clients are told are those of the protocol's table, no more, no less."""

import re
from pathlib import Path

import msgspec
import pytest

from steno_gateway.domain.errors import FAULTS, ClientError

ROOT = Path(__file__).parents[3]


def rows() -> dict[str, tuple[str, str]]:
    """Give status and retryable of each code, as section 6 of the protocol has them."""
    text = (ROOT / "docs" / "protocol.md").read_text()
    section = text.partition("\n## 6. ")[2].partition("\n## ")[0]
    found: dict[str, tuple[str, str]] = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and (name := re.fullmatch(r"`(\w+)`", cells[0])):
            found[name[1]] = (cells[1], cells[2])
    return found


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    assert set(rows()) == set(FAULTS)


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_the_table_says_whether_to_try_again(code: str) -> None:
    assert rows()[code][1] == ("yes" if FAULTS[code].retryable else "no")


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_the_table_says_how_the_connection_is_closed(code: str) -> None:
    close = FAULTS[code].close
    told = [int(number) for number in re.findall(r"\b(1\d{3}|4\d{3})\b", rows()[code][0])]
    assert told == ([] if close is None else [close])


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_the_table_says_the_status_of_the_answer(code: str) -> None:
    told = [int(number) for number in re.findall(r"\b([45]\d{2})\b", rows()[code][0])]
    assert told in ([], [FAULTS[code].http])


def test_an_error_is_told_with_its_decision_and_details() -> None:
    error = ClientError("sequence_gap", "chunk 4 is missing", resend_from=4)
    assert msgspec.json.decode(msgspec.json.encode(error.as_message())) == {
        "type": "server:error", "code": "sequence_gap", "message": "chunk 4 is missing",
        "retryable": True, "resend_from": 4,
    }  # fmt: skip


def test_a_code_that_is_not_in_the_table_cannot_be_told() -> None:
    with pytest.raises(KeyError):
        ClientError("surprise", "never heard of")
