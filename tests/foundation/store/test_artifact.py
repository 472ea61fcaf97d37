"""Descriptions of artifacts: validated when read, created once, and every file checked against its digest."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store import artifact
from foundation.store.artifact import FileRecord
from foundation.store.files import Store
from foundation.store.segments import Segment
from tests import builders


@dataclass(frozen=True, kw_only=True)
class Described:
    """A description with a field of every kind that artifacts use."""

    __pydantic_config__: ClassVar = artifact.STRICT

    name: str
    rows: int
    share: float
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
        (damaged(files={"a": {"size_bytes": 1, "sha256": "0" * 64, "more": 1}}), r"damaged at 'files\.a\.more'"),
        (damaged(surplus=1), "damaged at 'surplus'"),
    ],
)
def test_what_is_not_the_contract_is_refused(data: bytes, message: str) -> None:
    """Another version, a cut file, a wrong type or an unknown field is refused, naming the path and the place."""
    with pytest.raises(ArtifactRefusedError, match=message) as caught:
        artifact.from_json(data, Described, path="some/run.json")
    assert str(caught.value).startswith("some/run.json ")


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
    """A file that lost bytes is damaged, one that is gone is not found."""
    (tmp_path / "run" / "a").write_bytes(b"short")
    with pytest.raises(ArtifactRefusedError, match=r"5 bytes .* expected 100 bytes"):
        artifact.verify_files(recorded[0], "run", recorded[1])
    (tmp_path / "run" / "a").unlink()
    with pytest.raises(InputNotFoundError, match="run/a"):
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
