"""Typed reading of JSON objects."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


class MessageError(ValueError):
    """A text that is not what the protocol says."""


class Fields:
    """One JSON object; a missing or null field gives the default, a wrong type MessageError."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, Mapping):
            raise MessageError(f"an object was expected, not {type(values).__name__}")
        self._values: Mapping[str, Any] = values

    @classmethod
    def read(cls, text: str) -> "Fields":
        """Parse a text."""
        try:
            return cls(json.loads(text))
        except (json.JSONDecodeError, RecursionError) as error:
            raise MessageError(f"not JSON: {error}") from error

    def text(self, name: str, default: str | None = None) -> str:
        """Text; without a default it must be there."""
        value = self._given(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, "text")
        return value

    def optional_text(self, name: str) -> str | None:
        """Text or None."""
        return None if self._values.get(name) is None else self.text(name)

    def integer(self, name: str, default: int | None = None) -> int:
        """Whole number; without a default it must be there."""
        value = self._given(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, "a whole number")
        return value

    def optional_integer(self, name: str) -> int | None:
        """Whole number or None."""
        return None if self._values.get(name) is None else self.integer(name)

    def number(self, name: str, default: float = 0.0) -> float:
        """Any number."""
        value = self._given(name, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._wrong(name, "a number")
        return float(value)

    def optional_number(self, name: str) -> float | None:
        """Any number or None."""
        return None if self._values.get(name) is None else self.number(name)

    def flag(self, name: str) -> bool:
        """True or false; false if missing."""
        value = self._given(name, default=False)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def inner(self, name: str) -> "Fields | None":
        """An object inside, None if there is none."""
        value = self._values.get(name)
        return None if value is None else Fields(value)

    def inners(self, name: str) -> list["Fields"]:
        """A list of objects, empty if missing."""
        value = self._given(name, [])
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self._wrong(name, "a list")
        return [Fields(item) for item in value]

    def texts(self, name: str) -> dict[str, str]:
        """A flat object of texts, empty if missing."""
        inner = self.inner(name)
        return {} if inner is None else {key: inner.text(key) for key in inner._values}

    def _given(self, name: str, default: object) -> object:
        value = self._values.get(name)
        return default if value is None else value

    def _wrong(self, name: str, wanted: str) -> MessageError:
        return MessageError(f"field {name!r} must be {wanted}")
