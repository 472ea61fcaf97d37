"""Defines what a lookup may be asked for, in JSON, in a form or in the address: the schemas of the OpenAPI document."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from foundation.errors import UsageError
from serving.http.problems import Problem, as_invalid
from serving.match.claim import parse_claimed_date
from serving.match.options import MatchOptions

MOST_NAME = 1_000
# No encoder has longer vectors.
MOST_DIMENSIONS = 8_192
# Names of options and parts, and colons in ids and addresses, of one query.
MOST_COLONS = 1_000
# A body is looked at in pieces, so that other threads get their turn between them.
SLICE_BYTES = 1 << 20
# Numbers of snapshots are int32 in the contract.
SnapshotNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
Base64 = Annotated[str, WithJsonSchema({"type": "string", "format": "byte"})]
ClaimedDate = Annotated[
    str,
    Field(max_length=40),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]


class LookupOptions(BaseModel):
    """What a lookup may be asked for beside its queries."""

    model_config = ConfigDict(extra="forbid")

    top_k: int = Field(10, ge=1, le=1_000, description="Matches per query.")
    min_score: float = Field(0.0, ge=0, le=1, allow_inf_nan=False, description="Leave out matches that score less.")
    similar: bool = Field(False, description="Also list what is no copy, below the copies.")
    effort: Literal["full", "fast"] = Field("full", description="`fast` may miss copies that are hard to find.")
    claimed_date: ClaimedDate | None = Field(None, description="When the photos are said to be taken (ISO 8601).")
    snapshot: SnapshotNumber | None = Field(None, description="The snapshot that shall answer; default: the live one.")

    def for_matching(self) -> MatchOptions:
        """Returns what the matcher is asked for; raises a Problem, 422, for a date that is none."""
        try:
            claimed = parse_claimed_date(self.claimed_date) if self.claimed_date is not None else None
        except UsageError as error:
            raise Problem(422, "invalid", str(error).replace("--claimed-date", "claimed_date")) from error
        return MatchOptions(
            top_k=self.top_k,
            min_score=self.min_score,
            similar=self.similar,
            effort=self.effort,
            claimed_date=claimed,
        )


class ImageSource(BaseModel):
    """A photo: its bytes in base64, or where they lie."""

    model_config = ConfigDict(extra="forbid")

    b64: Base64 | None = Field(None, description="The bytes of the file in base64 (RFC 4648, section 4).")
    uri: str | None = Field(None, max_length=4_096, description="A place that the service was started to read from.")

    @model_validator(mode="after")
    def _one(self) -> "ImageSource":
        if (self.b64 is None) == (self.uri is None):
            raise ValueError("expected exactly one of: b64, uri")
        return self


class JsonQuery(BaseModel):
    """One query: a photo, or the embedding of one."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(max_length=MOST_NAME, description="How the answers name the query.")
    image: ImageSource | None = None
    # Without `fail_fast` a megabyte of what is no number becomes a million errors, for all of which everybody waits.
    embedding: list[Annotated[float, Field(allow_inf_nan=False)]] | None = Field(
        None,
        min_length=1,
        max_length=MOST_DIMENSIONS,
        fail_fast=True,
        description="A vector of the snapshot's encoder: only similar photos.",
    )

    @model_validator(mode="after")
    def _one(self) -> "JsonQuery":
        if (self.image is None) == (self.embedding is None):
            raise ValueError("expected exactly one of: image, embedding")
        return self


class LookupRequest(LookupOptions):
    """Queries, and what is asked of all of them."""

    queries: list[JsonQuery] = Field(min_length=1, max_length=1_000, fail_fast=True)

    def options(self) -> LookupOptions:
        """Returns what is asked of all queries, without them: their photos as texts need not stay in memory."""
        return LookupOptions(**{name: getattr(self, name) for name in LookupOptions.model_fields})


def parse_query(line: bytes) -> JsonQuery:
    """Returns the query of a line; raises a Problem, 422 or 413, for one that is none."""
    _check_parts(line, queries=1)
    with as_invalid():
        return JsonQuery.model_validate_json(line)


def parse_request(body: bytes, *, most_queries: int) -> LookupRequest:
    """Returns what a JSON body asks for; raises a Problem, 422 or 413, for one that is none, or has too many parts."""
    _check_parts(body, queries=most_queries)
    with as_invalid():
        return LookupRequest.model_validate_json(body)


def parse_options(given: Mapping[str, Any]) -> LookupOptions:
    """Returns the options that a form or an address gives; raises a Problem, 422, for values that are none."""
    with as_invalid():
        return LookupOptions.model_validate(given)


def _check_parts(body: bytes, *, queries: int) -> None:
    """Raises a Problem, 413, for JSON of more parts than so many queries have; photos in base64 have none."""
    # Parsing holds up every other request: 60 MB of zeros would for half a minute, and take 2 GB.
    most = {b":": queries * MOST_COLONS, b",": queries * (MOST_DIMENSIONS + MOST_COLONS)}
    for start in range(0, len(body), SLICE_BYTES):
        for sign in most:
            most[sign] -= body.count(sign, start, start + SLICE_BYTES)
        if min(most.values()) < 0:
            raise Problem(
                413,
                "too_many_parts",
                f"the JSON has more numbers or names than {queries} queries have; expected vectors of at most "
                f"{MOST_DIMENSIONS:,} numbers: ask in several requests",
            )
