"""STENO_REDIS_URL: one Redis, several, Sentinels, a Cluster; and what cannot be meant."""

import pytest

from steno_common.errors import SettingsError
from steno_common.settings import load
from steno_common.store.addresses import Access, Cluster, Service, Several, parse, title
from steno_common.store.limits import Limits


@pytest.mark.parametrize(
    "url",
    ["redis://a", "rediss://u:p@a:1/2?ssl_ca_certs=/ca.pem", "unix:///run/redis.sock?db=0",
     "unix://:secret@/run/redis.sock", "redis://[::1]:7000/0"],
)  # fmt: skip
def test_one_redis_is_used_as_it_is_named(url: str) -> None:
    assert parse(url) == Several((url,))


def test_several_have_commas_between_them() -> None:
    assert parse("redis://a:1/0, rediss://u:p,w@b/3") == Several(
        ("redis://a:1/0", "rediss://u:p,w@b/3")
    )


def test_sentinels_lead_to_the_master_of_a_service() -> None:
    place = parse("redis+sentinel://u:p%2F@one,two:5/main/3?socket_keepalive=1")
    access = Access("redis", "u:p%2F@", 3, "socket_keepalive=1")
    assert place == Service(access, (("one", 26379), ("two", 5)), "main")
    assert access.url(("ten", 7)) == "redis://u:p%2F@ten:7/3?socket_keepalive=1"
    assert access.url(("::1", 7)) == "redis://u:p%2F@[::1]:7/3?socket_keepalive=1"


def test_sentinels_may_have_a_password_of_their_own() -> None:
    place = parse("rediss+sentinel://:p@one/main?sentinel_username=a&sentinel_password=b%20c")
    assert isinstance(place, Service)
    assert place.sentinel_options == (("username", "a"), ("password", "b c"))
    assert place.access == Access("rediss", ":p@")


def test_a_cluster_is_named_by_some_of_its_nodes() -> None:
    assert parse("rediss+cluster://u:p@[::1]:7000,b") == Cluster(
        Access("rediss", "u:p@"), (("::1", 7000), ("b", 6379))
    )


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "not one of redis://, rediss://, unix://, redis+sentinel://, redis+cluster://"),
        ("http://secret@a", "not one of redis://"),
        ("redis+other://secret@a", "not one of redis://"),
        ("redis://", "redis:// without a host"),
        ("unix://", "unix:// without the path of a socket"),
        ("redis://:secret@a:port", "a URL whose port or options cannot be read"),
        ("redis://:secret@a/one", "redis://…/ is followed by the number of a database"),
        ("redis://:secret@a,b", "each of several Redis is a whole URL, with commas between"),
        ("redis://:secret@a,redis://:other@a:6379", "the same Redis twice"),
        ("redis://a,redis+cluster://b", "not one of redis://"),
        ("redis+cluster://a,redis://b", "redis+cluster:// stands alone"),
        ("redis+cluster://:secret@a/1", "a Cluster has no database but 0"),
        ("redis+cluster://:secret@", "a host is a name, or name:port"),
        ("redis+cluster://a:0", "a host is a name, or name:port"),
        ("redis+cluster://a:123456", "a host is a name, or name:port"),
        ("redis+sentinel://:secret@a", "redis+sentinel://host:port,… is followed by /service"),
        ("redis+sentinel://:secret@a/s/x", "is followed by the number of a database"),
        ("redis+sentinel://a/s?socket_keepalive=1&db=x", "a URL whose port or options"),
    ],
)
def test_what_cannot_be_meant_is_named_without_its_password(url: str, fault: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse(url)
    assert raised.value.message.startswith("STENO_REDIS_URL: ")
    assert fault in raised.value.message
    assert "secret" not in raised.value.message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://:secret@a/0", "a:6379"),
        ("unix://:secret@/run/s?db=0", "/run/s"),
        ("redis://a,rediss://u:secret@b:1", "a:6379, b:1"),
        ("redis+sentinel://u:secret@a,b:1/main", "Sentinel service main by a:26379, b:1"),
        ("redis+cluster://u:secret@a", "Cluster by a:6379"),
    ],
)
def test_a_place_is_named_for_people_without_its_password(url: str, words: str) -> None:
    assert title(url) == words
    assert "secret" not in repr(parse(url))


def test_settings_refuse_what_cannot_work() -> None:
    with pytest.raises(SettingsError, match="STENO_REDIS_URL: redis:// without a host"):
        load(Limits, {"STENO_REDIS_URL": "redis://"})
    with pytest.raises(SettingsError) as raised:
        load(Limits, {"STENO_REDIS_URL": "redis://a,redis://b", "STENO_SHARDS": "1",
                      "STENO_REPLICAS": "-1"})  # fmt: skip
    assert raised.value.faults == (
        "STENO_REPLICAS: not 0 or more",
        "STENO_SHARDS: fewer than there are Redis in STENO_REDIS_URL",
    )
