"""Fewer rings for the same news."""

from collections.abc import Iterable

Ring = tuple[str, bytes]
"""Session and encoded partial; empty bytes: look into the log."""


def coalesce(rings: Iterable[Ring]) -> list[Ring]:
    """Keep of each session the last bell and the newest partial, each in its place.

    A bell only says that the log has grown, so the last one says what all before it did. A partial
    replaces every one before it.
    """
    kept: dict[tuple[str, bool], Ring] = {}
    for session_id, partial in reversed(list(rings)):
        kept.setdefault((session_id, bool(partial)), (session_id, partial))
    return list(reversed(kept.values()))
