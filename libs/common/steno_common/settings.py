"""Settings from the environment: one frozen object per service, read once."""

import dataclasses
import math
import os
import types
import typing
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from steno_common.errors import SettingsError
from steno_common.naming import ALSO_BARE

__all__ = ["ALSO_BARE", "PREFIX", "load"]

PREFIX: Final = "STENO_"

T = TypeVar("T")

_TRUE: Final = {"1", "true", "yes", "on"}
_FALSE: Final = {"0", "false", "no", "off"}


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


_READERS: Final[Mapping[Any, Any]] = {str: str, int: int, float: _finite, bool: _boolean}


def _read(text: str, kind: Any) -> Any:
    options = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return tuple(_READERS[options[0]](part.strip()) for part in text.split(",") if part.strip())
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        if text == "":
            return None
        kind = next(option for option in options if option is not types.NoneType)
    if typing.get_origin(kind) is typing.Literal:
        if text not in typing.get_args(kind):
            raise ValueError
        return text
    return _READERS[kind](text)


def _wanted(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return "one of " + ", ".join(typing.get_args(kind))
    return getattr(kind, "__name__", str(kind))


def load(settings: type[T], environ: Mapping[str, str] | None = None) -> T:
    """Fill a frozen dataclass: the field `foo_bar` comes from STENO_FOO_BAR, else its default.

    Fields are str, int, float, bool, a Literal, an optional one of these, or a tuple of str, int or
    float from a comma-separated list. One with the metadata ALSO_BARE comes from FOO_BAR where
    there is no STENO_FOO_BAR. Raises SettingsError that names every fault.
    """
    environ = os.environ if environ is None else environ
    hints = typing.get_type_hints(settings)
    values, faults = {}, []
    for field in dataclasses.fields(settings):  # type: ignore[arg-type]
        name = PREFIX + field.name.upper()
        if name not in environ and field.metadata.get("also_bare"):
            name = field.name.upper()
        if name not in environ:
            continue
        try:
            values[field.name] = _read(environ[name], hints[field.name])
        except ValueError:
            faults.append(f"{name}: not {_wanted(hints[field.name])}")
    if faults:
        raise SettingsError(faults)
    return settings(**values)
