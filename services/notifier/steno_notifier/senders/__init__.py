"""What speaks to destinations, by their kind."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver

from steno_common.destinations import DestinationSettings
from steno_common.errors import SettingsError
from steno_notifier.domain.outgoing import Sender
from steno_notifier.domain.webhook_form import CONTENT_TYPE, webhook_form
from steno_notifier.senders.pipeline import PipelineSender
from steno_notifier.senders.poster import Poster
from steno_notifier.senders.relay import RelaySender
from steno_notifier.senders.web import Web

if TYPE_CHECKING:
    from steno_notifier.senders.function import Function


def open_senders(
    settings: DestinationSettings, resolver: AbstractResolver | None = None
) -> Mapping[str, Sender]:
    """Give the sender of each kind of destination, to be closed by the caller.

    `resolver` looks up the hosts that sessions name. Raises SettingsError if a package is missing.
    """
    function = _function(settings)
    web, seconds = Web(settings, resolver), settings.delivery_seconds
    return {
        "webhook": Poster(web, webhook_form, CONTENT_TYPE, seconds),
        "relay": RelaySender(web, seconds),
        "pipeline": PipelineSender(web, seconds, function),
    }


def _function(settings: DestinationSettings) -> "Function | None":
    if not settings.translation_pipeline_function_name:
        return None
    try:
        from steno_notifier.senders.function import Function  # noqa: PLC0415 - 22 MB for few
    except ImportError as error:
        raise SettingsError(
            ["STENO_TRANSLATION_PIPELINE_FUNCTION_NAME: needs aiobotocore, which is what"
             " `pip install steno-notifier[lambda]` adds"]
        ) from error  # fmt: skip
    return Function(settings)
