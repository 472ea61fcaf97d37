"""Edits that other people made are read from a folder for each original."""

from pathlib import Path

import pytest

from evaluation.copies.made_edits import list_made_edits
from evaluation.copies.photos import key_of
from foundation.errors import InputNotFoundError
from tests.photos import jpeg, scene


def write(path: Path, seed: int) -> Path:
    """Writes a photo of its own to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(scene(seed)))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two originals, of which one has two edits, and one of another kind of file one."""
    for number, name in enumerate(["a/original.jpg", "a/forged.png", "a/web.jpg", "b/original.jpeg", "b/restored.jpg"]):
        write(tmp_path / name, number)
    return tmp_path


def test_each_edit_has_the_original_of_its_folder(folder: Path):
    """Whatever the suffix of the original."""
    found = {edit.key: original.key for edit, original in list_made_edits(folder, tell=lambda _: None).items()}
    keys = {path.relative_to(folder): key_of(path.read_bytes()) for path in folder.rglob("*.*")}
    originals = {"a": keys[Path("a/original.jpg")], "b": keys[Path("b/original.jpeg")]}
    assert found == {key: originals[path.parts[0]] for path, key in keys.items() if path.stem != "original"}


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        (lambda folder: (folder / "a" / "original.jpg").unlink(), "a holds 0 usable photos called original and 2 o"),
        (lambda folder: write(folder / "b" / "original.png", 9), "b holds 2 usable photos called original and 1 o"),
        (lambda folder: (folder / "b" / "restored.jpg").unlink(), "b holds 1 usable photos called original and 0 o"),
        (lambda folder: (folder / "c").mkdir(), "c holds 0 usable photos called original and 0 o"),
        (lambda folder: write(folder / "lost.jpg", 9), "holds 0 usable photos called original and 1 o"),
        (lambda folder: write(folder / "c" / "original.jpg", 0), "c holds 0 usable photos called original and 0 o"),
    ],
    ids=["no original", "two originals", "no edit", "empty folder", "photo beside the folders", "one original twice"],
)
def test_a_folder_that_is_not_so_is_refused(folder: Path, change, holds: str):
    """One line says what it holds and what it should hold: nothing is asked that has no right answer."""
    change(folder)
    with pytest.raises(InputNotFoundError, match=holds) as caught:
        list_made_edits(folder, tell=lambda _: None)
    assert "expected one original.jpg (or .png …) and edits of it" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    """It is named."""
    with pytest.raises(InputNotFoundError, match="nowhere"):
        list_made_edits(tmp_path / "nowhere", tell=lambda _: None)
