"""Where a session ends for one of its readers.

`Completed` is the last event of the session itself. Only translations come after it, as late as
whoever makes them is. So one who wants none is through with `Completed`, one who wants some once
each final has them; how long that may take is for the caller to bound.
"""

from collections.abc import Iterable

from steno_common.messages import Completed, Numbered, Partial
from steno_gateway.domain.choice import Choice
from steno_gateway.domain.story import Story


def completes(item: Numbered | Partial) -> bool:
    """Say whether something is the last event of the session itself."""
    return isinstance(item, Numbered) and isinstance(item.event, Completed)


def has_all(choice: Choice, cursor: int, story: Story) -> bool:
    """Say whether a reader that was told all through an event has all it can wait for."""
    return 0 < story.completed <= story.through <= cursor and story.translated(choice)


def resume_point(asked: int, newest: int, finished: int) -> int:
    """Give the number of the event behind which a reader goes on.

    A reader that says it knows more than there is knows another log, and begins at what is new. Of
    a session that is `finished` (the number of `Completed`, else 0) the last event comes again,
    because it is what ends the connection.
    """
    return min(asked, finished - 1 if finished else newest)


def nothing_left(choice: Choice, after: int, finished: int, following: Iterable[Numbered]) -> bool:
    """Say whether a reader need not come back: behind its last event nothing for it follows."""
    return 0 < finished <= after and not any(choice.wants(each.event) for each in following)
