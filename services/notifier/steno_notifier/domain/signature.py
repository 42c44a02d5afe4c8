"""Headers that name and sign a delivery, as Standard Webhooks 1.0 says."""

import base64
import hashlib
import hmac
from collections.abc import Sequence


def delivery_headers(
    delivery_id: str, seconds: int, body: bytes, keys: Sequence[bytes]
) -> dict[str, str]:
    """Give the id, the time of this try in seconds since 1970, and signatures of the exact bytes.

    One signature for each key: while a receiver changes its key there are two, and either one lets
    it be sure. Without a key there is none.
    """
    headers = {"webhook-id": delivery_id, "webhook-timestamp": str(seconds)}
    signed = b"%s.%d.%s" % (delivery_id.encode(), seconds, body)
    signatures = [_signature(key, signed) for key in keys]
    if signatures:
        headers["webhook-signature"] = " ".join(signatures)
    return headers


def _signature(key: bytes, signed: bytes) -> str:
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
