"""Makes the addresses of the page, and reads what they ask for: whoever gets one sees what its sender saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from urllib.parse import urlencode

from foundation.errors import UsageError
from serving.http.held import HeldLookup
from serving.http.problems import Problem
from serving.match.claim import parse_claimed_date
from serving.output.choice import Choice


@dataclass(frozen=True)
class Seen:
    """How a reader looks at a lookup: its id, what is chosen of it, and the date that is claimed for the photos."""

    lookup_id: str
    choice: Choice = field(default_factory=Choice)
    claimed: datetime | None = None
    claimed_text: str = ""

    @property
    def asked(self) -> str:
        """The query of addresses that lead on from here, with its question mark: what was chosen counts there, too."""
        return f"?{urlencode(fields)}" if (fields := _fields(self)) else ""

    @property
    def whole(self) -> "Seen":
        """The same with all matches, in the same order."""
        return replace(self, choice=Choice(order=self.choice.order))


def address_of(seen: Seen, lookup: HeldLookup) -> str:
    """Returns where a lookup is seen in this way, which names the snapshot that answered."""
    return f"/lookups/{seen.lookup_id}?{urlencode({'snapshot': str(lookup.snapshot.number)} | _fields(seen))}"


def form_address(claimed: str) -> str:
    """Returns where further photos are handed in, for which the same date may be claimed."""
    return f"/?{urlencode({'claimed_date': claimed})}" if claimed else "/"


def _fields(seen: Seen) -> dict[str, str]:
    choice = seen.choice
    fields = {
        "claimed_date": seen.claimed_text,
        "order": choice.order if choice.order != Choice().order else "",
        "since": choice.since.isoformat() if choice.since else "",
        "until": choice.until.isoformat() if choice.until else "",
        "source": choice.source,
        "words": choice.words,
    }
    return {name: value for name, value in fields.items() if value}


def seen_of(lookup_id: str, asked: Mapping[str, str]) -> Seen:
    """Returns how a reader looks at a lookup, by the query of the address; raises a Problem, 422, for what is none."""

    def day(name: str) -> date | None:
        text = asked.get(name, "").strip()
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as error:
            raise Problem(422, "invalid", f"{name} is {text!r}; expected a day, such as 2024-05-01") from error

    choice = Choice(
        order=asked.get("order") or Choice().order,
        since=day("since"),
        until=day("until"),
        source=asked.get("source", ""),
        words=" ".join(asked.get("words", "").split()),
    )
    text = asked.get("claimed_date", "").strip()
    return Seen(lookup_id, choice, claimed_of(text), text)


def claimed_of(text: str) -> datetime | None:
    """Returns the date that is claimed, if there is one; raises a Problem, 422, for what is none."""
    try:
        return parse_claimed_date(text) if text.strip() else None
    except UsageError as error:
        raise Problem(422, "invalid", str(error).replace("--claimed-date", "the claimed date")) from error
