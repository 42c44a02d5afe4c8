"""Where results are delivered to: what an installation says, what a session may name."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import msgspec

from steno_common.errors import SettingsError
from steno_common.messages import Destination
from steno_common.naming import ALSO_BARE

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  (what a secret begins with, no secret)
SECRET_BYTES: Final = range(24, 65)
LONGEST_URL: Final = 2048
ENCRYPTED: Final = {"webhook": "https", "relay": "https wss", "pipeline": "https"}
"""Schemes that a session may name, by kind of destination."""
EVENTS: Final = ("final", "utterance", "status", "warning", "completed", "translation")
"""Names of what may be delivered."""
FORMS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"webhook": EVENTS, "relay": ("utterance",), "pipeline": ("final",)}
)
"""Of these, what destinations of a kind have a form for."""
PLAIN: Final = {"https": "http", "wss": "ws"}
"""What is the same without encryption."""

Network = IPv4Network | IPv6Network


def secret_key(secret: str) -> bytes:
    """Give the key of a secret `whsec_<base64>` of 24 to 64 bytes; raises ValueError."""
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if encoded == secret or len(key) not in SECRET_BYTES:
        raise ValueError("not whsec_ and the base64 of 24 to 64 bytes")
    return key


def secret_keys(secrets: str) -> tuple[bytes, ...]:
    """Give the keys of secrets apart by spaces, as while they are changed; raises ValueError."""
    return tuple(secret_key(secret) for secret in secrets.split())


def check_events(kind: str, events: Sequence[str]) -> None:
    """Raise ValueError with the reason for events that no destination of a kind can be sent."""
    forms = FORMS[kind]
    if not set(events) <= set(forms):
        raise ValueError(f"a {kind} has no form for other events than {', '.join(forms)}")


def can_answer(kind: str, url: str) -> bool:
    """Say whether what is at a URL could say back the ids of what it has kept."""
    return kind == "relay" and urlsplit(url).scheme in ("ws", "wss")


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hosts that sessions may name although they are private, or do not encrypt."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, names: tuple[str, ...]) -> "Allowed":
        """Read names of hosts, addresses, networks."""
        hosts, networks = set(), []
        for name in names:
            try:
                networks.append(ip_network(name))
            except ValueError:
                hosts.add(name.lower())
        return cls(frozenset(hosts), tuple(networks))

    def has(self, host: str) -> bool:
        """Say whether a host is named here, or an address lies in a network that is."""
        try:
            address = ip_address(host)
        except ValueError:
            return host.lower() in self.hosts
        return host in self.hosts or any(address in network for network in self.networks)


def check_url(kind: str, url: str, allowed: Allowed) -> None:
    """Raise ValueError with the reason for a URL that a session may not name.

    Only its form is looked at: where its host leads to is known when something is sent.
    """
    if not (url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_URL):
        raise ValueError(f"not an address of at most {LONGEST_URL} ASCII characters")
    parts = urlsplit(url)
    host, _ = parts.hostname, parts.port  # a port that is none raises
    if not host or parts.username is not None or parts.fragment:
        raise ValueError("a host is needed, a user or a fragment is not taken")
    schemes = ENCRYPTED[kind].split()
    plain = {PLAIN[scheme] for scheme in schemes}
    if parts.scheme not in schemes and not (parts.scheme in plain and allowed.has(host)):
        raise ValueError(f"not {' or '.join(schemes)}")


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # half an address of IPv6, a port beyond all ports
        return False


@dataclass(frozen=True, slots=True)
class Installed:
    """Which destinations an installation has for each session, and what sessions may add."""

    webhook_url: str = field(default="", repr=False)
    """Takes signed events of every session."""
    relay_url: str = field(default="", repr=False)
    """Takes the texts between silences: http(s)://… or ws(s)://…"""
    translation_pipeline_url: str = field(default="", repr=False)
    """Takes each transcript, for translation."""
    translation_pipeline_function_name: str = field(default="", metadata=ALSO_BARE)
    """The same for a function of AWS Lambda."""
    delivery_allow: tuple[str, ...] = ()
    """Hosts or networks that URLs of sessions may lead to though private or without encryption."""

    def __post_init__(self) -> None:
        faults = []
        for name, schemes in (
            ("webhook_url", "http https"),
            ("relay_url", "http https ws wss"),
            ("translation_pipeline_url", "http https"),
        ):
            url = getattr(self, name)
            if url and not url.startswith(tuple(f"{scheme}://" for scheme in schemes.split())):
                faults.append(f"STENO_{name.upper()}: not {schemes.replace(' ', ', ')}")
            elif url and not _has_host(url):
                faults.append(f"STENO_{name.upper()}: no host, or a port that is none")
        if any(mark in host for host in self.allowed.hosts for mark in "/:*"):
            faults.append("STENO_DELIVERY_ALLOW: not hosts, addresses, networks (10.0.0.0/8)")
        if self.translation_pipeline_url and self.translation_pipeline_function_name:
            faults.append("STENO_TRANSLATION_PIPELINE_URL: there is a function too")
        if faults:
            raise SettingsError(faults)

    @property
    def allowed(self) -> Allowed:
        """What `delivery_allow` says."""
        return Allowed.read(self.delivery_allow)

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """Give those of the installation as a session names them: without URL, without secret."""
        pipeline = self.translation_pipeline_url or self.translation_pipeline_function_name
        known = (
            (self.webhook_url, Destination("webhook", "webhook")),
            (self.relay_url, Destination("relay", "relay")),
            (pipeline, Destination("pipeline", "pipeline")),
        )
        return tuple(destination for there, destination in known if there)


@dataclass(frozen=True, slots=True)
class DestinationSettings(Installed):
    """How the notifier delivers, with what the installation's destinations are told apart by."""

    webhook_secret: str = field(default="", repr=False)
    """`whsec_…`: signs what goes to `webhook_url`; several, apart by spaces, while it changes."""
    webhook_events: tuple[str, ...] = ()
    """What goes to `webhook_url`; empty: final, utterance, status, warning, completed."""
    webhook_retries: tuple[float, ...] = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0)
    """Seconds after each failed try."""
    relay_retries: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
    """The same; the last one repeats until `relay_seconds` are over."""
    relay_seconds: float = 86_400.0
    relay_answers: bool = False
    """What is at `relay_url`, a WebSocket, says back the id of each message that it has kept."""
    aws_region: str = ""
    """Empty: as the environment of AWS says."""
    lambda_endpoint_url: str = ""
    delivery_seconds: float = 15.0
    """Longest try of one delivery."""

    def __post_init__(self) -> None:
        # The zero-argument form does not know a class with slots.
        Installed.__post_init__(self)
        faults = []
        if self.webhook_secret:
            try:
                secret_keys(self.webhook_secret)
            except ValueError as error:
                faults.append(f"STENO_WEBHOOK_SECRET: {error}")
        if not set(self.webhook_events) <= set(EVENTS):
            faults.append(f"STENO_WEBHOOK_EVENTS: not of {', '.join(EVENTS)}")
        if self.relay_answers and self.relay_url and not can_answer("relay", self.relay_url):
            faults.append("STENO_RELAY_ANSWERS: STENO_RELAY_URL is not ws, wss")
        if not self.relay_retries:
            faults.append("STENO_RELAY_RETRIES: none")
        amounts = {
            "WEBHOOK_RETRIES": min(self.webhook_retries, default=1),
            "RELAY_RETRIES": min(self.relay_retries, default=1),
            "DELIVERY_SECONDS": self.delivery_seconds,
        }
        faults += [f"STENO_{name}: not above 0" for name, least in amounts.items() if least <= 0]
        if faults:
            raise SettingsError(faults)

    def resolve(self, destination: Destination) -> Destination:
        """Give a destination with what only the settings say of it."""
        if destination.url:
            return destination
        match destination.name:
            case "webhook":
                return Destination("webhook", "webhook", self.webhook_url, self.webhook_secret,
                                   self.webhook_events)  # fmt: skip
            case "relay":
                return msgspec.structs.replace(destination, url=self.relay_url,
                                               answers=self.relay_answers)  # fmt: skip
            case "pipeline":
                return msgspec.structs.replace(destination, url=self.translation_pipeline_url)
        return destination
