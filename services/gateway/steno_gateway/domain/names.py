"""What a session is called: by an id of ours, a UUID, or by a name of its client's."""

import re
import uuid
from typing import Final

NAME_PATTERN: Final = r"^[\w.:@~-]{1,128}\Z"
"""Names such as `golden-eagle-427`: letters, digits, a few signs; no spaces."""

_name: Final = re.compile(NAME_PATTERN)


def read_id(text: str) -> str | None:
    """Give an id in its one spelling; None for what is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def is_name(text: str) -> bool:
    """Say whether a session may be called so, if only by its client's own UUID."""
    return _name.match(text) is not None
