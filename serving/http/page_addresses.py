"""Makes the addresses of the page, and reads what they ask for."""

from collections.abc import Mapping
from datetime import date, datetime
from urllib.parse import urlencode

from foundation.errors import UsageError
from serving.http.held import HeldLookup
from serving.http.lookup_page import Seen
from serving.http.problems import Problem
from serving.match.claim import parse_claimed_date
from serving.output.choice import Choice


def address_of(lookup_id: str, lookup: HeldLookup, claimed: str) -> str:
    """Returns where a lookup is seen, which names the snapshot that answered."""
    asked = {"snapshot": str(lookup.snapshot.number)} | ({"claimed_date": claimed} if claimed else {})
    return f"/lookups/{lookup_id}?{urlencode(asked)}"


def query_of(claimed: str) -> str:
    """Returns the query of an address that leads on from a lookup: what is claimed is judged there, too."""
    return f"?{urlencode({'claimed_date': claimed})}" if claimed else ""


def seen_of(lookup_id: str, asked: Mapping[str, str]) -> Seen:
    """Returns how a reader looks at a lookup, by the query of the address; raises a Problem, 422, for what is none."""

    def day(name: str) -> date | None:
        text = asked.get(name, "").strip()
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as error:
            raise Problem(422, "invalid", f"{name} is {text!r}; expected a day, such as 2024-05-01") from error

    choice = Choice(
        order=asked.get("order") or "oldest",
        since=day("since"),
        until=day("until"),
        source=asked.get("source", ""),
        words=asked.get("words", ""),
    )
    text = asked.get("claimed_date", "").strip()
    return Seen(lookup_id, choice, claimed_of(text), text, query_of(text))


def claimed_of(text: str) -> datetime | None:
    """Returns the date that is claimed, if there is one; raises a Problem, 422, for what is none."""
    try:
        return parse_claimed_date(text) if text.strip() else None
    except UsageError as error:
        raise Problem(422, "invalid", str(error).replace("--claimed-date", "the claimed date")) from error
