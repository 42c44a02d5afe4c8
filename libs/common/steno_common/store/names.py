"""Names that users give to sessions: each stands for one session of its owner."""

from dataclasses import dataclass

from steno_common.store.base import Part
from steno_common.store.scripts import Call


@dataclass(frozen=True, slots=True)
class NameStore(Part):
    """The register of names; what one owner calls a session, no other owner can reach."""

    async def find(self, owner: str, name: str) -> str | None:
        """Give the id of the session that a name stands for; None if for none."""
        keys = self.space.name(owner, name)
        (held,) = await self.link.ask(keys.shard, lambda pipe: pipe.get(keys.key))
        return None if held is None else held.decode()

    async def bind(self, owner: str, name: str, session_id: str, instead_of: str = "") -> str:
        """Have a name stand for a session, if it stands for `instead_of` or for nothing.

        Gives the id that it stands for now. To be repeated, with the same id in both places, while
        the session lives: a name is forgotten after the idle time.
        """
        keys = self.space.name(owner, name)
        call = Call("bind", keys.shard, [keys.key], (session_id, instead_of, self.limits.idle_ms))
        held: bytes = await self.link.run(call)
        return held.decode()
