"""Defines what a lookup may be asked for, in JSON, in a form or in the address: the schemas of the OpenAPI document."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from foundation.errors import UsageError
from serving.http.problems import Problem
from serving.match.claim import parse_claimed_date
from serving.match.options import MatchOptions

MOST_NAME = 1_000
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
    embedding: list[Annotated[float, Field(allow_inf_nan=False)]] | None = Field(
        None, min_length=1, max_length=65_536, description="A vector of the snapshot's encoder: only similar photos."
    )

    @model_validator(mode="after")
    def _one(self) -> "JsonQuery":
        if (self.image is None) == (self.embedding is None):
            raise ValueError("expected exactly one of: image, embedding")
        return self


class LookupRequest(LookupOptions):
    """Queries, and what is asked of all of them."""

    queries: list[JsonQuery] = Field(min_length=1, max_length=1_000)
