"""CONTRACT within the evaluation: what is known once all queries were asked, as the JSON beside the page.

A new field has a default, and one that went is passed over, so that results of an older program stay readable.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pydantic import TypeAdapter, ValidationError

from evaluation.copies.metrics import Bin
from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store import artifact

RESULTS = "results.json"


@dataclass(frozen=True, kw_only=True)
class Detection:
    """How well copies are found: shares from 0 to 1, over so many queries that have a photo to find.

    `found_as_copy` is the share whose photo is answered with a score of at least 0.5, at any rank. `right_verdict` and
    `right_date` are shares of the photos found first, None where a method gives no verdict or date, or none is right.
    """

    queries: int
    recall_at_1: float
    micro_average_precision: float
    recall_at_precision_90: float
    found_as_copy: float | None = None
    right_verdict: float | None = None
    right_date: float | None = None


@dataclass(frozen=True, kw_only=True)
class KindResult:
    """One kind of edit: its part of the report, its right verdicts, and how its copies were found among negatives."""

    kind: str
    part: str
    verdicts: list[str]
    detection: Detection


@dataclass(frozen=True, kw_only=True)
class FalseAlarms:
    """How many queries, or pairs, that are no copies were asked, and answered as one: with a score of at least 0.5."""

    asked: int
    answered: int


@dataclass(frozen=True, kw_only=True)
class ArchiveResult:
    """What the product answered in an archive of so many photos; `parts` of the report are several kinds together.

    `false_alarms` are named by what was asked. `confusion` counts, by the verdict that is right, the verdicts given to
    the photo that was to be found, `not found` among them.
    """

    photos: int
    copies: Detection
    parts: dict[str, Detection]
    kinds: list[KindResult]
    confusion: dict[str, dict[str, int]]
    reliability: list[Bin]
    calibration_error: float | None
    costs: "LookupCosts"
    false_alarms: dict[str, FalseAlarms] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LookupCosts:
    """Time of lookups, in milliseconds per query, by wall clock and by all cores together; bytes per archive photo.

    `one_ms` and `one_slow_ms` are the median and the ninth decile of queries asked one at a time, `stages` what takes
    it. Bytes: what search reads, what only verification reads, and names, dates and digests.
    """

    open_seconds: float
    batch_ms: float
    batch_core_ms: float
    one_ms: float
    one_slow_ms: float
    search_bytes: float
    verification_bytes: float
    table_bytes: float
    stages: list["StageTime"] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class StageTime:
    """What a stage of a lookup, by its name, takes of all cores, over so many queries that came to it."""

    stage: str
    queries: int
    median_ms: float
    mean_ms: float


@dataclass(frozen=True, kw_only=True)
class BuildCosts:
    """Time to encode the photos of one archive, start-up included, and to index them; `core` is of all cores."""

    photos: int
    encode_seconds: float
    encode_core_seconds: float
    index_seconds: float


@dataclass(frozen=True, kw_only=True)
class MethodResult:
    """Another way to search the same archive with the same queries; time per query from its file to its answer.

    False alarms are those at the score above which 90 % of its predictions are right: its scores are no probabilities.
    """

    name: str
    title: str
    detection: Detection
    false_alarms_per_1000: float | None
    query_ms: float
    photo_bytes: float


@dataclass(frozen=True, kw_only=True)
class KeptPicture:
    """A picture that lies beside the results: its file name, and the words that go with it."""

    name: str
    alt: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class CopiesResult:
    """One evaluation: with what, how the product did in each archive, and what other methods reach."""

    __pydantic_config__: ClassVar = artifact.CONTRACT

    created_at: str
    encoder_id: str
    settings: dict[str, int | str]
    archives: list[ArchiveResult]
    build: list[BuildCosts]
    methods: list[MethodResult]
    pictures: list[KeptPicture] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)


def read_result(folder: Path) -> CopiesResult:
    """Returns the results of a folder; raises InputNotFoundError without any, ArtifactRefusedError if damaged."""
    path = folder / RESULTS
    if not path.is_file():
        raise InputNotFoundError(f"no {RESULTS} in {folder}; expected one of `firstseen evaluate copies --photos DIR`")
    try:
        return TypeAdapter(CopiesResult).validate_json(path.read_bytes())
    except ValidationError as error:
        raise ArtifactRefusedError(f"{artifact.validation_problem(error, path)}; evaluate again") from error
