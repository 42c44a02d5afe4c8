"""Saved transcripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from steno_client.access import Access
from steno_client.domain.fields import Fields, MessageError
from steno_client.domain.policy import Policy
from steno_client.errors import SessionError
from steno_client.server import open_server


@dataclass(frozen=True, slots=True)
class Saved:
    """One line of the history."""

    id: str
    time: str
    """ISO 8601."""
    seconds: float
    """Duration of the audio."""
    text: str


async def list_transcripts(
    url: str,
    *,
    limit: int = 50,
    before: str | None = None,
    policy: Policy | None = None,
    access: Access | None = None,
) -> Sequence[Saved]:
    """Saved transcripts, newest first; `before` is the id of the last one of the page before."""
    params: dict[str, str | int] = {"limit": limit} | ({"before": before} if before else {})
    async with open_server(url, policy or Policy(), access) as server:
        text = await server.text("/api/transcripts", params)
    try:
        return [_read_saved(item) for item in Fields.read(text).inners("transcripts")]
    except MessageError as error:
        raise SessionError("invalid_answer", str(error)) from error


async def get_transcript(
    url: str,
    transcript_id: str,
    kind: str = "json",
    *,
    policy: Policy | None = None,
    access: Access | None = None,
) -> str:
    """One transcript as `txt`, `json`, `srt` or `vtt`."""
    async with open_server(url, policy or Policy(), access) as server:
        return await server.text(f"{_path(transcript_id)}.{kind}")


async def delete_transcript(
    url: str, transcript_id: str, *, policy: Policy | None = None, access: Access | None = None
) -> None:
    """Remove a transcript with all its files."""
    async with open_server(url, policy or Policy(), access) as server:
        await server.delete(_path(transcript_id))


def _path(transcript_id: str) -> str:
    return f"/api/transcripts/{quote(transcript_id, safe='')}"


def _read_saved(fields: Fields) -> Saved:
    return Saved(
        id=fields.text("id", "") or fields.text("session_id"),
        time=fields.text("start_time", ""),
        seconds=fields.number("duration_seconds"),
        text=fields.text("text", ""),
    )
