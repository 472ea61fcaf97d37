"""CONTRACT: what travels between a client and `firstseen serve`: photos in a form, answers in JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from urllib3 import encode_multipart_formdata

from foundation.errors import UnknownVersionError
from serving.answers import Answer
from serving.match.options import MatchOptions

LOOKUP, SNAPSHOT = "/v1/lookup", "/v1/snapshot"

Body = TypeVar("Body")


@dataclass(frozen=True, kw_only=True)
class ServedSnapshot:
    """What a server tells of the snapshot it answers from; `created_at` is in ISO 8601."""

    number: int
    created_at: str
    encoder: str
    photos: int

    @property
    def encoder_id(self) -> str:
        """The encoder, under the name that it has in the snapshot of a store."""
        return self.encoder


@dataclass(frozen=True, kw_only=True)
class Result:
    """The answers of one photo, at least one, under the name that it was sent with."""

    id: str
    answers: Annotated[list[Answer], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What one request came to: the results in the order of its photos, all from one snapshot."""

    snapshot: int
    encoder: str
    results: list[Result]


_SNAPSHOT, _LOOKED = TypeAdapter(ServedSnapshot), TypeAdapter(Looked)


def fields_of(options: MatchOptions, snapshot: int | None) -> dict[str, str]:
    """Returns what a lookup is asked for as fields of a form; every one is said, so that both sides' defaults agree."""
    asked = asdict(options)
    asked |= {"snapshot": snapshot, "similar": str(options.similar).lower()}
    asked["claimed_date"] = options.claimed_date and options.claimed_date.isoformat()
    del asked["batch_size"]  # how many go through the encoder together is the server's own matter
    return {name: str(value) for name, value in asked.items() if value is not None}


def form_of(photos: Iterable[bytes], fields: dict[str, str]) -> tuple[bytes, str]:
    """Returns (the body of a form with these photos, its content type)."""
    # A photo is named by its place, not by its file: paths say more than a server has to know, and any byte may be in
    # them. The type of its content is not looked at.
    files = [("image", (str(place), photo, "application/octet-stream")) for place, photo in enumerate(photos)]
    return encode_multipart_formdata([*fields.items(), *files])


def snapshot_path(number: int | None) -> str:
    """Returns where a server tells of its live snapshot, or of the numbered one."""
    return SNAPSHOT if number is None else f"{SNAPSHOT}?snapshot={number}"


def parse_looked(body: bytes) -> Looked:
    """Returns the answers of a request; raises UnknownVersionError if the body does not hold them."""
    return _parse(_LOOKED, body)


def parse_snapshot(body: bytes) -> ServedSnapshot:
    """Returns what a server tells of its snapshot; raises UnknownVersionError if the body does not hold it."""
    return _parse(_SNAPSHOT, body)


def detail_of(body: bytes) -> str:
    """Returns what a problem says (RFC 9457: its detail, or its title) in one line of 500 letters at most."""
    try:
        problem: Any = json.loads(body)
        detail = problem.get("detail") or problem.get("title") or ""
    except (ValueError, AttributeError):
        return ""
    return " ".join(str(detail).split())[:500]


def unknown(what: str) -> UnknownVersionError:
    """Returns the error for an answer that is none of this contract."""
    return UnknownVersionError(
        f"answers by a contract that this client does not know ({what}); expected the same version of firstseen on "
        "both sides: upgrade the older one"
    )


def _parse(adapter: TypeAdapter[Body], body: bytes) -> Body:
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise unknown(f"{where}: {first['msg']}") from error
