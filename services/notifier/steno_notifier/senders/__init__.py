"""What speaks to destinations, by their kind."""

from collections.abc import Mapping

from steno_common.destinations import DestinationSettings
from steno_common.errors import SettingsError
from steno_notifier.domain.outgoing import Sender


def open_senders(settings: DestinationSettings) -> Mapping[str, Sender]:
    """Give the sender of each kind; raises SettingsError for an installation that needs more."""
    kinds = [destination.kind for destination in settings.destinations]
    if kinds:
        raise SettingsError([f"nothing here delivers to a {kind}" for kind in kinds])
    return {}
