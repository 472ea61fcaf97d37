"""Tells the address of a server from the place of a store, and checks it and the key that goes with it."""

import os
import re

from foundation.errors import UsageError
from foundation.wording import number_of

KEY_VARIABLE = "FIRSTSEEN_KEY"


def is_server(place: str) -> bool:
    """Returns whether a place is the address of a server: http://… or https://…, in letters of either case."""
    return re.match("https?:", place, re.IGNORECASE) is not None


def check_address(address: str) -> str:
    """Returns the address without a slash at its end; raises UsageError for one that is no plain address of a server.

    A path is kept: behind a proxy, a server may answer at https://example.org/firstseen.
    """
    # Whoever looks up in a store asks for no more than whether it is one.
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    try:
        parsed = parse_url(address)
    except LocationParseError as error:
        raise UsageError(f"server {address!r} is no address; expected https://HOST or http://HOST:PORT") from error
    if parsed.auth is not None:
        # What stands there is a password: it is not repeated.
        raise UsageError(
            f"the address of server {parsed.host!r} holds a user or a password; expected {parsed.scheme}://HOST alone, "
            f"and the key in the variable {KEY_VARIABLE}"
        )
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
        raise UsageError(f"server is {address!r}; expected https://HOST or http://HOST:PORT, and no ? or # behind it")
    return parsed.url.rstrip("/")


def check_key(key: str | None) -> str | None:
    """Returns the key as it is sent, by default that of the variable FIRSTSEEN_KEY, or None where there is none.

    Raises UsageError, without the key in it, for one that cannot stand in a header.
    """
    found = os.environ.get(KEY_VARIABLE, "") if key is None else key
    found = found.strip()  # a key that was read from a file ends with a line
    if not re.fullmatch("[!-~]*", found):
        raise UsageError(
            f"the key of {number_of(len(found), 'character')} has a blank or a letter beyond ASCII; expected it whole"
        )
    return found or None
