"""Settings from the environment."""

from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.errors import SettingsError
from steno_common.settings import ALSO_BARE, load


@dataclass(frozen=True)
class Everything:
    text: str = "plain"
    count: int = 3
    window_seconds: float = 1.5
    enabled: bool = False
    engine: Literal["whisper", "pocketsphinx"] = "whisper"
    secret: str | None = None
    port: int | None = 8080
    names: tuple[str, ...] = ("a",)
    delays: tuple[float, ...] = ()
    function_name: str = field(default="", metadata=ALSO_BARE)


@dataclass(frozen=True)
class Needed:
    address: str


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load(Everything, {}) == Everything()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("STENO_TEXT", "", Everything(text="")),
        ("STENO_COUNT", "-7", Everything(count=-7)),
        ("STENO_WINDOW_SECONDS", "3", Everything(window_seconds=3.0)),
        ("STENO_WINDOW_SECONDS", "2.5e-1", Everything(window_seconds=0.25)),
        ("STENO_ENABLED", "1", Everything(enabled=True)),
        ("STENO_ENABLED", "True", Everything(enabled=True)),
        ("STENO_ENABLED", "YES", Everything(enabled=True)),
        ("STENO_ENABLED", "on", Everything(enabled=True)),
        ("STENO_ENABLED", "0", Everything(enabled=False)),
        ("STENO_ENABLED", "off", Everything(enabled=False)),
        ("STENO_ENGINE", "pocketsphinx", Everything(engine="pocketsphinx")),
        ("STENO_SECRET", "hush", Everything(secret="hush")),
        ("STENO_PORT", "", Everything(port=None)),
        ("STENO_PORT", "99", Everything(port=99)),
        ("STENO_NAMES", " a, b ,,c ", Everything(names=("a", "b", "c"))),
        ("STENO_NAMES", "", Everything(names=())),
        ("STENO_DELAYS", "5, 0.5", Everything(delays=(5.0, 0.5))),
        ("STENO_FUNCTION_NAME", "translate", Everything(function_name="translate")),
        ("FUNCTION_NAME", "translate", Everything(function_name="translate")),
    ],
)
def test_each_type_is_read(name: str, text: str, expected: Everything) -> None:
    assert load(Everything, {name: text}) == expected


def test_the_name_with_the_prefix_counts_before_the_bare_one() -> None:
    """R3: settings that others know by their bare names work under those too."""
    both = {"FUNCTION_NAME": "bare", "STENO_FUNCTION_NAME": "ours"}
    assert load(Everything, both) == Everything(function_name="ours")


def test_a_wrong_number_in_a_list_is_a_fault() -> None:
    with pytest.raises(SettingsError, match="STENO_DELAYS"):
        load(Everything, {"STENO_DELAYS": "5,soon"})


def test_other_variables_are_none_of_its_business() -> None:
    assert load(Everything, {"TEXT": "no", "steno_text": "no", "STENO_OTHER": "no"}) == Everything()


def test_all_faults_are_named_together_in_the_order_of_the_fields() -> None:
    wrong = {
        "STENO_ENGINE": "magic", "STENO_COUNT": "many", "STENO_WINDOW_SECONDS": "1,5",
        "STENO_ENABLED": "maybe", "STENO_PORT": "http", "STENO_TEXT": "fine",
    }  # fmt: skip
    with pytest.raises(SettingsError) as raised:
        load(Everything, wrong)
    assert raised.value.faults == (
        "STENO_COUNT: not int",
        "STENO_WINDOW_SECONDS: not float",
        "STENO_ENABLED: not bool",
        "STENO_ENGINE: not one of whisper, pocketsphinx",
        "STENO_PORT: not int | None",
    )
    assert str(raised.value) == "\n".join(raised.value.faults)
    assert not raised.value.retryable


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999"])
def test_a_float_is_finite(text: str) -> None:
    with pytest.raises(SettingsError):
        load(Everything, {"STENO_WINDOW_SECONDS": text})


@given(st.text())
def test_any_text_is_a_value_or_a_fault_that_does_not_quote_it(text: str) -> None:
    names = ("COUNT", "WINDOW_SECONDS", "ENABLED", "ENGINE", "PORT")
    for name in names:
        try:
            load(Everything, {f"STENO_{name}": f"canary{text}"})
        except SettingsError as error:
            assert "canary" not in str(error)  # noqa: PT017
        else:
            pytest.fail(f"{name} took a canary")


def test_the_environment_of_the_process_is_read_at_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STENO_ADDRESS", "somewhere")
    assert load(Needed) == Needed("somewhere")
