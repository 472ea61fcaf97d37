"""Addresses of servers and keys: what is taken, and what is refused without showing a secret."""

import pytest

from foundation.errors import UsageError
from serving.remote.address import check_address, check_key, is_server


@pytest.mark.parametrize("place", ["STORE", "/srv/store", "gs://bucket/store", "s3://b/s", "./http:/x", "httpstore"])
def test_places_of_stores_are_no_servers(place: str):
    """A store is a path or lies in a bucket."""
    assert not is_server(place)


@pytest.mark.parametrize("place", ["http://localhost:8080", "https://example.org/firstseen", "HTTPS://EXAMPLE.ORG"])
def test_addresses_are_servers(place: str):
    """In letters of either case."""
    assert is_server(place)
    check_address(place)


def test_a_path_is_kept_and_a_slash_at_the_end_is_not():
    """Behind a proxy a server may lie below a path."""
    assert check_address("https://Example.org/firstseen/") == "https://example.org/firstseen"
    assert check_address("http://[::1]:8080/") == "http://[::1]:8080"


@pytest.mark.parametrize(
    "address", ["http://", "http:", "https:///x", "http://h:99999", "http://h/?key=1", "http://h#x"]
)
def test_other_addresses_are_refused(address: str):
    """With what was expected."""
    with pytest.raises(UsageError, match="expected https://HOST or http://HOST:PORT"):
        check_address(address)


def test_a_password_in_an_address_is_not_repeated():
    """It would stand in logs; the line says where the key belongs."""
    with pytest.raises(UsageError, match="the key in the variable FIRSTSEEN_KEY") as caught:
        check_address("https://user:sesame@example.org")
    assert "sesame" not in str(caught.value)


def test_keys(monkeypatch: pytest.MonkeyPatch):
    """The argument, else the variable, without the end of the line that a file has; none is none."""
    monkeypatch.delenv("FIRSTSEEN_KEY", raising=False)
    assert check_key(None) is None
    monkeypatch.setenv("FIRSTSEEN_KEY", "open\n")
    assert check_key(None) == "open"
    assert check_key("mine") == "mine"
    with pytest.raises(UsageError) as caught:
        check_key("open sesame\r\nX-Evil: 1")
    assert "sesame" not in str(caught.value)
