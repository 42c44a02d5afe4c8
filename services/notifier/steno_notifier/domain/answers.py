"""What an answer of a receiver means for a delivery."""

import math
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from steno_notifier.domain.outgoing import Verdict

GONE: Final = 410
LATER: Final = frozenset({408, 425, 429})
"""Client errors that time may cure."""
LONGEST_WAIT: Final = 86_400.0
"""Seconds; a receiver that asks for more is asked again then."""
THROTTLED: Final = frozenset(
    {"ServiceUnavailable", "ServiceUnavailableException", "ServiceException", "Throttling",
     "ThrottlingException", "TooManyRequests", "TooManyRequestsException", "RequestTimeout",
     "RequestTimeoutException", "RequestLimitExceeded"}
)  # fmt: skip
"""Codes of AWS that ask for another try."""
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,59}")


def judge(status: int, retry_after: str = "", now: float = 0.0, *, refusal_is_final: bool = False
          ) -> Verdict:  # fmt: skip
    """Judge an HTTP status; `now` is in seconds since 1970, for a Retry-After that is a date.

    A receiver that is being changed may refuse for a while, so a refusal is tried again unless it
    `is_final`. A redirect is not followed: it is a failure.
    """
    reason = f"http_{status}"
    if 200 <= status < 300:
        return Verdict("delivered")
    if status == GONE:
        return Verdict("gone", reason)
    if refusal_is_final and status < 500 and status not in LATER:
        return Verdict("never", reason)
    return Verdict("again", reason, wait_asked(retry_after, now))


def wait_asked(retry_after: str, now: float) -> float:
    """Read a Retry-After, seconds or a date; what is neither asks for no wait."""
    try:
        wait = float(retry_after) if retry_after.strip().isascii() else 0.0
    except ValueError:
        wait = _until(retry_after, now)
    return min(max(wait, 0.0), LONGEST_WAIT) if math.isfinite(wait) else 0.0


def _until(date: str, now: float) -> float:
    try:
        moment = parsedate_to_datetime(date)
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
    except (ValueError, OverflowError, TypeError, IndexError):
        return 0.0


def judge_aws(code: str, status: int) -> Verdict:
    """Judge an error that AWS names: only one of its own troubles is worth another try."""
    reason = f"aws_{code}" if _CODE.fullmatch(code) else f"http_{status}"
    again = code in THROTTLED or status >= 500 or status in LATER
    return Verdict("again" if again else "never", reason)
