"""Working files of a lookup: created once, read as they were written or not at all."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store.files import Store
from pipelines.lookup.files import Work, WorkingFiles


@dataclass
class Text:
    """A part that is a text."""

    text: str

    def write(self, path: Path) -> None:
        """Writes it."""
        path.write_text(self.text)

    @classmethod
    def read(cls, path: Path) -> "Text":
        """Reads it."""
        return cls(path.read_text())


@pytest.fixture
def files(tmp_path: Path) -> WorkingFiles:
    """Of a lookup in an empty store."""
    return WorkingFiles(Store(tmp_path, create=True), "lookups/a")


def test_the_first_one_to_write_a_file_counts(files: WorkingFiles) -> None:
    """What another attempt makes of the same work is dropped."""
    assert not files.exists("found/1")
    assert files.create("found/1", {"one": Text("1"), "two": Text("")}, Work(3, 0.5))
    assert not files.create("found/1", {"one": Text("other")}, Work(3, 0.1))
    assert files.exists("found/1")
    assert (files.read("found/1", "one", Text), files.read("found/1", "two", Text)) == (Text("1"), Text(""))
    assert files.work("found/1") == Work(3, 0.5)
    assert files.names("found") == ["found/1"]
    files.delete(files.names("found"))
    with pytest.raises(InputNotFoundError, match="does not exist"):
        files.read("found/1", "one", Text)


def test_any_flipped_bit_is_noticed(files: WorkingFiles) -> None:
    """In the head, or in the part that is asked for; and so is an end that is missing."""
    files.create("f", {"one": Text("first"), "two": Text("second")}, Work(1, 1.0))
    path = files.store.local_root / "lookups/a/f"
    whole = path.read_bytes()
    first = whole.rindex(b"first")
    for place in {*range(len(whole))} - {*range(first, first + len(b"first"))}:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ArtifactRefusedError, match=r"lookups/a/f is damaged .* delete it and run the same lookup"):
            files.read("f", "two", Text)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ArtifactRefusedError):
            files.read("f", "two", Text)


def test_what_is_no_file_of_a_lookup_is_passed_over(files: WorkingFiles) -> None:
    """Systems leave names of their own, and people copies."""
    ours = ["00000001", "00000001-0", "00000001-1-0-3", "20261122T071711Z-0a1b2c3d", "20261122T071711Z-0a1b2c3d.json"]
    strangers = [".nfs0000000000000001", ".DS_Store", "00000001~", "00000001.tmp", "00000001 (copy)", "Thumbs.db"]
    for name in [*ours, *strangers]:
        files.store.create(files.path(f"answers/{name}"), b"")
    assert files.names("answers") == [f"answers/{name}" for name in ours]
