"""Ignored photos through the whole of a lookup: what shows them has no match by that, at once and in open searchers."""

import hashlib
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from foundation.errors import InputNotFoundError
from foundation.store.files import Store
from foundation.store.ignored import read_ignored
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from serving.ignore import ignore_photo, stop_ignoring
from serving.match.match import Outcome
from serving.match.query import Query
from serving.search import followed
from serving.search.snapshot import OpenSnapshot
from serving.searcher import Searcher
from tests.photos import jpeg
from tests.serving.match.pictures import scene

PLACARD = scene(1, 360, 240)
CARRIED = [scene(seed) for seed in (10, 11)]


def with_placard(picture: np.ndarray, *, scale: float = 1.0) -> np.ndarray:
    """Returns a picture with the placard in its upper left corner."""
    pasted, placard = picture.copy(), cv2.resize(PLACARD, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    pasted[: placard.shape[0], : placard.shape[1]] = placard
    return pasted


@pytest.fixture(scope="module")
def archive_store(encoder_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two photos that carry the placard, one without it, and the placard itself."""
    folder = tmp_path_factory.mktemp("ignore")
    (folder / "archive").mkdir()
    shutil.copytree(encoder_store, folder / "store")
    pictures = {"0": with_placard(CARRIED[0]), "1": with_placard(CARRIED[1]), "2": scene(12), "placard": PLACARD}
    for name, pixels in pictures.items():
        (folder / "archive" / f"{name}.jpg").write_bytes(jpeg(pixels))
    encode(EncodeOptions(archive=str(folder / "archive"), store=str(folder / "store")))
    build_index(Store(folder / "store"))
    return folder / "store"


@pytest.fixture
def answering(archive_store: Path, tmp_path: Path) -> Store:
    """The same, for a test of its own."""
    return Store(shutil.copytree(archive_store, tmp_path / "store"))


@pytest.fixture
def placard_file(tmp_path: Path) -> str:
    """A file that shows the placard, of the bytes that the archive has."""
    (tmp_path / "placard.jpg").write_bytes(jpeg(PLACARD))
    return str(tmp_path / "placard.jpg")


def find(searcher: Searcher, picture: np.ndarray) -> Outcome:
    """Returns what a picture came to, saved as a JPEG."""
    (outcome,) = searcher.find([Query("asked", lambda: jpeg(picture, quality=85))])
    return outcome


def verdicts(outcome: Outcome) -> dict[str, str]:
    """Returns what each photo that was found is."""
    return {match.photo["photo_id"]: match.verdict.name for match in outcome.matches}


def test_a_placard_matches_no_more_and_a_real_copy_does(
    answering: Store, placard_file: str, monkeypatch: pytest.MonkeyPatch
):
    """An open searcher takes it up within half a minute, and forgets it as soon when it is taken back."""
    clock = [1_000.0]
    monkeypatch.setattr(followed, "monotonic", lambda: clock[0])
    stranger, copy = with_placard(scene(20)), with_placard(scene(12), scale=0.6)
    with Searcher.open(answering) as searcher:
        before = verdicts(find(searcher, copy))
        assert before["2.jpg"]
        assert find(searcher, stranger).status == "matched"
        assert set(verdicts(find(searcher, PLACARD))) == {"0.jpg", "1.jpg", "placard.jpg"}
        assert ignore_photo(answering, placard_file, why="a placard") is not None
        assert find(searcher, PLACARD).status == "matched"
        clock[0] += followed.LOOK_SECONDS
        assert find(searcher, stranger).status == "no_match"
        assert verdicts(find(searcher, copy)) == {"2.jpg": before["2.jpg"]}
        assert verdicts(find(searcher, with_placard(CARRIED[0])[:300])) == {"0.jpg": "cropped"}
        outcome = find(searcher, PLACARD)
        assert (outcome.status, str(outcome.reason).partition(":")[0]) == ("not_matchable", "ignored")
        stop_ignoring(answering, 1)
        clock[0] += followed.LOOK_SECONDS
        assert set(verdicts(find(searcher, PLACARD))) == {"0.jpg", "1.jpg", "placard.jpg"}


def test_an_ignored_photo_of_the_archive_is_not_found(answering: Store, placard_file: str):
    """Neither by its bytes nor by its vector, from the first look on."""
    content = hashlib.sha256(Path(placard_file).read_bytes()).digest()
    with OpenSnapshot(answering) as opened:
        assert opened.occurrences(content)
    ignore_photo(answering, placard_file, why="")
    with OpenSnapshot(answering) as opened:
        assert opened.places([content]) == [[]]
        assert opened.occurrences(content) == []


def test_a_photo_is_put_on_the_list_once(answering: Store, placard_file: str):
    """Again once it was taken off."""
    assert ignore_photo(answering, placard_file, why="") is not None
    assert ignore_photo(answering, placard_file, why="") is None
    stop_ignoring(answering, 1)
    assert ignore_photo(answering, placard_file, why="") is not None
    assert len(read_ignored(answering)) == 3


@pytest.mark.parametrize("number", [1, 2, 3])
def test_only_an_entry_that_counts_is_taken_off(answering: Store, placard_file: str, number: int):
    """Neither one that was taken off before, nor the entry that took it off."""
    ignore_photo(answering, placard_file, why="")
    stop_ignoring(answering, 1)
    with pytest.raises(InputNotFoundError, match=f"no ignored photo {number}; expected one of: none"):
        stop_ignoring(answering, number)
