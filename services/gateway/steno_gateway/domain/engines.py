"""Which engines a session may ask for."""

from collections.abc import Sequence

from steno_gateway.domain.errors import ClientError


def policy_of(
    asked: Sequence[str], default: Sequence[str], on_request: Sequence[str]
) -> tuple[str, ...]:
    """Give the engines of a new session, the first choice first; empty: whichever there is.

    Raises ClientError `unknown_engine`.
    """
    if not asked:
        return tuple(default)
    for engine in asked:
        if engine not in (*default, *on_request):
            raise ClientError("unknown_engine", f"sessions may not ask for engine {engine}")
    return tuple(dict.fromkeys(asked))
