"""A page from elsewhere gets in only if it is listed."""

import pytest

from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.origins import check_origin, cors_headers, read_origins


def allowed(origin: str | None, host: str = "steno.example", listed: str = "") -> bool:
    try:
        check_origin(origin, host, read_origins(listed))
    except ClientError:
        return False
    return True


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        (None, "steno.example", True),
        ("https://steno.example", "steno.example", True),
        ("http://steno.example", "steno.example", True),
        ("https://STENO.example", "steno.example", True),
        ("https://steno.example:443", "steno.example", True),
        ("https://steno.example", "steno.example:443", True),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("http://127.0.0.1:8081", "127.0.0.1:8080", False),
        ("https://steno.example.evil", "steno.example", False),
        ("https://evil", "steno.example", False),
        ("null", "steno.example", False),
        ("", "steno.example", False),
        ("https://", "", False),
        ("file://", "steno.example", False),
        ("https://steno.example:many", "steno.example", False),
        ("https://[", "steno.example", False),
    ],
)
def test_without_a_list_only_the_servers_own_pages_get_in(
    origin: str | None, host: str, expected: bool
) -> None:
    assert allowed(origin, host) is expected


def test_a_refused_page_is_told_by_a_code() -> None:
    with pytest.raises(ClientError) as caught:
        check_origin("https://evil", "steno.example", ())
    assert (caught.value.code, caught.value.fault.http) == ("origin_not_allowed", 403)


def test_listed_pages_get_in_as_they_are_written() -> None:
    listed = "https://app.example, http://localhost:3000"
    assert allowed("https://app.example", listed=listed)
    assert allowed("http://localhost:3000", listed=listed)
    assert not allowed("http://app.example", listed=listed)
    assert not allowed("https://app.example:8443", listed=listed)
    assert allowed("https://anything", listed="*")
    assert allowed("null", listed="*")


@pytest.mark.parametrize(
    "text", ["app.example", "https://app.example/", "https://", "https://a, b"]
)
def test_what_is_no_origin_is_a_fault(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the settings say which
        read_origins(text)


def test_an_allowed_page_may_read_the_answer_and_caches_are_told() -> None:
    listed = read_origins("https://app.example")
    assert cors_headers("https://app.example", listed) == {
        "Vary": "Origin", "Access-Control-Allow-Origin": "https://app.example",
        "Access-Control-Expose-Headers": "Retry-After",
    }  # fmt: skip
    assert cors_headers("https://steno.example", listed) == {"Vary": "Origin"}
    assert cors_headers(None, listed) == {"Vary": "Origin"}
    assert cors_headers("https://app.example", frozenset()) == {}
