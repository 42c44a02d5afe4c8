"""Language tags (BCP 47): their one spelling, and which range holds which tag."""

import re
from typing import Final

MAX_TAG: Final = 35
TAG: Final = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"

_tag: Final = re.compile(TAG)


def canonical(tag: str) -> str:
    """Spell a tag as is usual (`zh-Hant-TW`); raises ValueError for what is none."""
    if len(tag) > MAX_TAG or not _tag.match(tag):
        raise ValueError("no language tag")
    first, *others = tag.lower().split("-")
    return "-".join([first, *map(_spelled, others)])


def _spelled(subtag: str) -> str:
    if len(subtag) == 4 and subtag.isalpha():
        return subtag.title()
    return subtag.upper() if len(subtag) == 2 else subtag


def within(wanted: str, tag: str) -> bool:
    """Say whether a tag is the wanted one or narrower, as `es-MX` is for `es` (RFC 4647, 3.3.1)."""
    return tag == wanted or tag.startswith(wanted + "-")
