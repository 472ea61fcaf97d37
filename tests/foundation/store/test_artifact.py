"""Descriptions of artifacts: validated when read, created once, and every file checked against its digest."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store import artifact
from foundation.store.artifact import FileRecord, Timestamp
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.runs import Run
from foundation.store.segments import Segment
from foundation.store.snapshots import Snapshot
from tests import builders


@dataclass(frozen=True, kw_only=True)
class Described:
    """A description with a field of every kind that artifacts use."""

    __pydantic_config__: ClassVar = artifact.CONTRACT

    name: str
    rows: int
    share: float
    created_at: Timestamp = "2024-05-31T00:00:00+00:00"
    files: dict[str, FileRecord] = field(default_factory=dict)
    parent: int | None = None
    contract_version: int = 3


EXAMPLE = Described(name="é", rows=7, share=0.5, files={"a": FileRecord(1, "0" * 64)})


@settings(max_examples=40)
@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.integers(),
)
def test_a_description_round_trips(name: str, rows: int, share: float, parent: int | None) -> None:
    """What was written is read back equal, and equal descriptions have equal bytes."""
    described = Described(name=name, rows=rows, share=share, parent=parent)
    data = artifact.to_json(described)
    assert artifact.from_json(data, Described, path="p") == described
    assert artifact.to_json(replace(described)) == data


def damaged(**changes: Any) -> bytes:
    """Returns the example's JSON with some values replaced."""
    return json.dumps({**asdict(EXAMPLE), **changes}).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not the JSON of an artifact"),
        (artifact.to_json(EXAMPLE)[:-5], "not the JSON of an artifact"),
        (b"\xff\xfe", "not the JSON of an artifact"),
        (b"[1, 2]", "not the JSON of an artifact"),
        (b"null", "not the JSON of an artifact"),
        (b"[" * 100_000, "not the JSON of an artifact"),
        (b"{}", "contract version None; this program reads version 3"),
        (damaged(contract_version=2), "contract version 2; this program reads version 3"),
        (damaged(contract_version="3"), "contract version '3'"),
        (damaged(contract_version=3.0), "damaged at 'contract_version'"),
        (damaged(rows="7"), "damaged at 'rows'"),
        (damaged(rows=7.5), "damaged at 'rows'"),
        (damaged(rows=None), "damaged at 'rows'"),
        (damaged(name=5), "damaged at 'name'"),
        (damaged(files={"a": {"size_bytes": "1", "sha256": ""}}), r"damaged at 'files\.a\.size_bytes'"),
        (damaged(files={"a": {"size_bytes": 1}}), r"damaged at 'files\.a\.sha256'"),
        (damaged(created_at="today"), "damaged at 'created_at'"),
        (damaged(created_at="2024-05-31T00:00:00"), "damaged at 'created_at': Value error, a time without an offset"),
    ],
)
def test_what_is_not_the_contract_is_refused(data: bytes, message: str) -> None:
    """Another version, a cut file or a wrong type is refused, naming the path and the place."""
    with pytest.raises(ArtifactRefusedError, match=message) as caught:
        artifact.from_json(data, Described, path="some/run.json")
    assert str(caught.value).startswith("some/run.json ")


def test_what_a_later_program_added_is_passed_over() -> None:
    """Within one version only fields that a reader can do without are added, at every level; the rest is as strict."""
    files = {"a": {"size_bytes": 1, "sha256": "0" * 64, "more": 1}}
    data = damaged(surplus=[1], files=files)
    assert artifact.from_json(data, Described, path="p") == EXAMPLE
    with pytest.raises(ArtifactRefusedError, match="damaged at 'rows'"):
        artifact.from_json(damaged(surplus=1, rows="7"), Described, path="p")


def test_an_added_field_counts_in_the_digest(tmp_path: Path) -> None:
    """The digest is that of the bytes as they lie: what is not understood is guarded all the same."""
    store, data = Store(tmp_path), damaged(surplus=1)
    store.create("x.json", data)
    assert artifact.read(store, "x.json", Described) == (EXAMPLE, artifact.digest_of(data))


def rename_title(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 1 said `title`, version 2 says `name`."""
    return {"name": raw["title"], **{key: value for key, value in raw.items() if key != "title"}}


def count_pages(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 2 did not know the number of pages, version 3 does."""
    return {**raw, "pages": len(raw["name"])}


@dataclass(frozen=True, kw_only=True)
class Upgraded:
    """A contract in its third version, which reads both versions before it."""

    __pydantic_config__: ClassVar = artifact.CONTRACT
    upgrades: ClassVar[artifact.Upgrades] = {1: rename_title, 2: count_pages}

    name: str
    pages: int
    files: dict[str, FileRecord] = field(default_factory=dict)
    contract_version: int = 3


@pytest.mark.parametrize(
    "raw",
    [
        {"contract_version": 1, "title": "abcd"},
        {"contract_version": 2, "name": "abcd"},
        {"contract_version": 3, "name": "abcd", "pages": 4},
    ],
)
def test_an_older_version_is_upgraded_step_by_step(raw: dict[str, Any], tmp_path: Path) -> None:
    """Each version reads its predecessors; the digest stays that of the bytes, which nobody rewrites."""
    store, data = Store(tmp_path), json.dumps({**raw, "files": {"a": {"size_bytes": 1, "sha256": "0" * 64}}}).encode()
    store.create("x.json", data)
    described, digest = artifact.read(store, "x.json", Upgraded)
    assert described == Upgraded(name="abcd", pages=4, files={"a": FileRecord(1, "0" * 64)})
    assert digest == artifact.digest_of(data)
    assert store.read("x.json") == data


@pytest.mark.parametrize("version", [4, 0, -1, None, "1", True, 2.5])
def test_a_version_that_no_step_leads_from_is_refused_in_one_line(version: Any) -> None:
    """A newer one is not guessed at, and neither is one that never was; the line names what can be read."""
    data = json.dumps({"contract_version": version, "name": "abcd", "pages": 4}).encode()
    message = rf"^some/x\.json has contract version {version!r}; this program reads versions 1 to 3: use the version"
    with pytest.raises(ArtifactRefusedError, match=message):
        artifact.from_json(data, Upgraded, path="some/x.json")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"contract_version": 1}, r"it cannot be read as contract version 1 \(KeyError\('title'\)\)"),
        ({"contract_version": 2, "name": 5}, "it cannot be read as contract version 2"),
        ({"contract_version": 1, "title": "abcd", "files": {"a": {}}}, r"damaged at 'files\.a\.size_bytes'"),
        ({"contract_version": 1, "title": "abcd", "files": {"../a": {}}}, r"damaged at 'files\.\.\./a"),
    ],
)
def test_damage_in_an_older_version_is_one_line(raw: dict[str, Any], message: str) -> None:
    """What is upgraded is checked as strictly as what is not."""
    with pytest.raises(ArtifactRefusedError, match=rf"^some/x\.json is .*{message}"):
        artifact.from_json(json.dumps(raw).encode(), Upgraded, path="some/x.json")


def test_every_contract_of_the_store_reads_its_first_version() -> None:
    """A version bump without the step from the one before would lock every old store out."""
    for kind in (EncoderSpec, Run, Segment, Snapshot):
        assert set(getattr(kind, "upgrades", {})) == set(range(1, kind.contract_version))


def test_a_problem_names_the_first_place() -> None:
    """Others who read JSON with pydantic say it in the same words, and add their own remedy."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Described).validate_json('{"name": "a"}')
    assert artifact.validation_problem(caught.value, Path("a.json")) == "a.json is damaged at 'rows': Field required"


def test_finish_creates_once_and_forgives_a_retry(tmp_path: Path) -> None:
    """The same bytes again are no error; other bytes are refused, and the first description stays."""
    store = Store(tmp_path)
    digest = artifact.finish(store, "x.json", EXAMPLE)
    assert artifact.finish(store, "x.json", EXAMPLE) == digest
    with pytest.raises(ArtifactRefusedError, match=r"x\.json exists already"):
        artifact.finish(store, "x.json", replace(EXAMPLE, rows=8))
    assert artifact.read(store, "x.json", Described) == (EXAMPLE, digest)


def test_reading_an_absent_description_is_an_input_error(tmp_path: Path) -> None:
    """A description that is not there is missing, not damaged."""
    with pytest.raises(InputNotFoundError):
        artifact.read(Store(tmp_path), "x.json", Described)


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Store, dict[str, FileRecord]]:
    """A store with two files below `run`, and their records."""
    store = Store(tmp_path)
    store.create("run/a", bytes(range(100)))
    store.create("run/deep/b", b"")
    return store, artifact.record(store, "run", ["a", "deep/b"])


def test_untouched_files_are_verified(recorded: tuple[Store, dict[str, FileRecord]]) -> None:
    """Recorded files pass, and the bytes read are counted."""
    assert artifact.verify_files(recorded[0], "run", recorded[1]) == 100


@pytest.mark.parametrize("position", [0, 57, 99])
def test_one_flipped_bit_is_found(recorded: tuple[Store, dict[str, FileRecord]], position: int, tmp_path: Path) -> None:
    """A single bit changes the digest, though the size stays."""
    data = bytearray((tmp_path / "run" / "a").read_bytes())
    data[position] ^= 1
    (tmp_path / "run" / "a").write_bytes(data)
    with pytest.raises(ArtifactRefusedError, match="run/a is damaged: 100 bytes"):
        artifact.verify_files(recorded[0], "run", recorded[1])


def test_a_cut_file_and_a_missing_one_are_told_apart(
    recorded: tuple[Store, dict[str, FileRecord]], tmp_path: Path
) -> None:
    """A file that lost bytes is damaged, one that is gone is not found; both say what mends them."""
    (tmp_path / "run" / "a").write_bytes(b"short")
    with pytest.raises(ArtifactRefusedError, match=r"5 bytes .* expected 100 bytes"):
        artifact.verify_files(recorded[0], "run", recorded[1])
    (tmp_path / "run" / "a").unlink()
    with pytest.raises(InputNotFoundError, match=r"^run/a is missing, expected 100 bytes; .* `firstseen repair`$"):
        artifact.verify_files(recorded[0], "run", recorded[1])


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../b", "", "a//b", ".hidden", "a\0b", "a/", "/dev/zero"])
def test_a_file_outside_of_the_directory_is_refused(name: str) -> None:
    """A description names files below itself and nothing else: a device would be read for ever."""
    files = {name: {"size_bytes": 1, "sha256": "0" * 64}}
    data = json.dumps({"contract_version": 1, **asdict(builders.segment()), "files": files}).encode()
    with pytest.raises(ArtifactRefusedError, match=r"segment\.json is damaged at 'files"):
        artifact.from_json(data, Segment, path="segment.json")


@pytest.mark.parametrize("record", [{"size_bytes": -1, "sha256": "0" * 64}, {"size_bytes": 1, "sha256": "x"}])
def test_an_impossible_record_is_refused(record: dict) -> None:
    """Negative sizes and digests that are none do not pass for a description."""
    data = json.dumps({**asdict(builders.segment()), "files": {"a": record}}).encode()
    with pytest.raises(ArtifactRefusedError, match=r"damaged at 'files\.a"):
        artifact.from_json(data, Segment, path="segment.json")
