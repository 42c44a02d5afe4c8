"""TLS of the gateway itself, for an installation without a proxy."""

import logging
import ssl

from steno_common.errors import SettingsError
from steno_gateway.settings import GatewaySettings

log = logging.getLogger(__name__)


def tls_context(settings: GatewaySettings) -> ssl.SSLContext | None:
    """Give the context of the settings' certificate; None without one. Raises SettingsError."""
    if not settings.tls_cert and not settings.tls_key:
        return None
    if not settings.tls_cert or not settings.tls_key:
        raise SettingsError(["STENO_TLS_CERT, STENO_TLS_KEY: one is set without the other"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except OSError as error:  # SSLError is one
        reason = getattr(error, "reason", None) or error.strerror
        raise SettingsError([f"STENO_TLS_CERT, STENO_TLS_KEY: {reason}"]) from error
    return context


def reload_certificate(settings: GatewaySettings, context: ssl.SSLContext) -> None:
    """Take the certificate as it is now for new connections; a bad one leaves the former."""
    try:
        tls_context(settings)  # the pair is tried before the one in use is touched
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (OSError, SettingsError):
        log.error("the certificate cannot be used; the former one stays")
        return
    log.info("certificate read again")
