"""What the field of a setting says of its names."""

from collections.abc import Mapping
from typing import Final

ALSO_BARE: Final[Mapping[str, bool]] = {"also_bare": True}
"""Metadata of a field whose setting goes by its name without `STENO_` too."""
