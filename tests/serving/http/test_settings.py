"""What the environment says of how to serve: every flag has a variable, and what is none is told by its name."""

from dataclasses import fields

import pytest

from foundation.errors import UsageError
from serving.http.options import ServeOptions
from serving.http.settings import PREFIX, read_settings
from serving.live.options import LiveOptions


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch):
    """Sets variables by what follows the prefix."""

    def set_all(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"{PREFIX}{name}", value)

    return set_all


def test_the_environment_says_what_flags_do_not(setting):
    """Lists have commas, sizes a suffix or none; an empty variable is none, even of a name that no flag has."""
    setting(PORT="9000", ALLOW_URI="/a, s3://b/c", INSECURE="true", HOST="", DRAIN_SECONDS="1.5", OLD="")
    setting(MAX_BODY_BYTES="32MiB", MAX_BODIES_BYTES="1000000000", STORE="s3://b/store", KEYS="/etc/keys.json")
    assert read_settings() == {
        "store": "s3://b/store",
        "port": 9_000,
        "keys": "/etc/keys.json",
        "allow_uri": ("/a", "s3://b/c"),
        "insecure": True,
        "drain_seconds": 1.5,
        "max_body_bytes": 32 * 2**20,
        "max_bodies_bytes": 10**9,
    }


@pytest.mark.parametrize("option", [one for kind in (ServeOptions, LiveOptions) for one in fields(kind)])
def test_every_option_has_a_variable(setting, option):
    """Its default, as a text, is the same value again; paths and hosts stay texts."""
    text = str(option.default)
    setting(**{option.name.upper(): text})
    expected = {"keys": "None", "allow_uri": ("()",), "allow_host": ("()",)}.get(option.name, option.default)
    assert read_settings() == {option.name: expected}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "many", "FIRSTSEEN_SERVE_PORT is 'many'; expected a whole number"),
        ("PORT", "80.5", "FIRSTSEEN_SERVE_PORT is '80.5'; expected a whole number"),
        ("HEADER_SECONDS", "10s", "FIRSTSEEN_SERVE_HEADER_SECONDS is '10s'; expected a number"),
        ("INSECURE", "perhaps", "FIRSTSEEN_SERVE_INSECURE is 'perhaps'; expected true or false"),
        ("MAX_BODY_BYTES", "64XB", "FIRSTSEEN_SERVE_MAX_BODY_BYTES is '64XB'; expected a number of bytes with a suff"),
        ("MAX_IMAGE", "8", "no flag has its name; expected FIRSTSEEN_SERVE_MAX_IMAGES: rename it, or unset it"),
        ("XYZZY", "8", "no flag has its name; expected FIRSTSEEN_SERVE_ and the name of a flag of `firstseen serve`:"),
        ("", "8", "FIRSTSEEN_SERVE_ is set, and no flag has its name"),
    ],
)
def test_what_is_none_is_told_in_one_line(setting, name: str, value: str, told: str):
    """With the variable, what was expected, and no word of the library that parses it."""
    setting(**{name: value})
    with pytest.raises(UsageError) as caught:
        read_settings()
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "validation" not in str(caught.value)
