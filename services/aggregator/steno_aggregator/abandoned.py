"""Sessions whose client is gone for too long."""

from typing import Literal

from steno_common.store.windows import WindowStore

Fate = Literal["removed", "abandoned", "waiting"]


async def bury(store: WindowStore, session_id: str) -> Fate:
    """Remove a session without audio, else mark the end of its input.

    Whoever was told that a session began is told that it ended, even without audio.

    One that has ended only waits for a transcriber, and is kept until that comes. A client that
    comes back meanwhile keeps its session: the scripts look again.
    """
    window = await store.window(session_id)
    if window is not None and window.ended:
        await store.postpone(session_id)
        return "waiting"
    told = window is not None and window.session.destinations and window.event
    if window is None or (window.chunks == 0 and not told):
        return "removed" if await store.remove(session_id) else "waiting"
    return "abandoned" if await store.end_abandoned(session_id) else "waiting"
