"""What a failure of Redis means for the caller."""

import re
from typing import Final

from redis.exceptions import RedisError, ResponseError

from steno_common.errors import StoreError, StoreUnavailableError

FAILURES: Final = (RedisError, OSError, TimeoutError)
"""What redis-py raises when Redis cannot, or will not."""

# What the server says while it starts, fails over, hands slots over or is full: the same call can
# succeed later, there or elsewhere.
_PASSING: Final = {"LOADING", "BUSY", "READONLY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "OOM",
                   "NOREPLICAS", "MISCONF", "UNBLOCKED", "NOSCRIPT", "MOVED", "ASK"}  # fmt: skip

# Redis 6.2 wraps the error of a command in that of the script; redis-py does so in a pipeline.
_CODE: Final = re.compile(r"(?:Error running script .*: -|Command # .* error: \(.)?([A-Z]+)\b")


class FewReplicasError(RedisError):
    """An answer stands on something that too few replicas have."""


class NowhereError(RedisError):
    """Nobody says which Redis holds the shards."""


def failure(error: Exception) -> StoreError:
    """Say whether the same call may be repeated; no text of a reply goes into the message."""
    if isinstance(error, ResponseError):
        found = _CODE.match(str(error))
        known = None if error.status_code == "ERR" else error.status_code
        code = known or (found[1] if found else "ERR")
        if code not in _PASSING:
            return _caused(StoreError(f"Redis refused: {code}"), error)
    return _caused(StoreUnavailableError(f"Redis does not answer: {type(error).__name__}"), error)


def _caused(told: StoreError, error: Exception) -> StoreError:
    told.__cause__ = error
    return told
