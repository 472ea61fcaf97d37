"""Copies: an edited photo finds its original through the whole of encode, index and lookup, with proof and dates."""

import shutil
from datetime import datetime, timezone
from pathlib import Path

import cv2
import numpy as np
import pytest

from foundation.store.files import Store
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from serving.match.match import Match, Outcome
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.searcher import Searcher
from tests.photos import jpeg, write_catalog
from tests.serving.search.local_segments import picture

PHOTOS = 12


def colour(seed: int, *, width: int = 480, height: int = 360) -> np.ndarray:
    """Returns a picture full of corners in colour, uint8 [height, width, 3]."""
    return np.stack([picture(3 * seed + channel, width=width, height=height) for channel in range(3)], axis=2)


@pytest.fixture(scope="module")
def searcher(encoder_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    """Opens an archive of twelve pictures; photo 5 was published in 2015, and a half of it, as photo 12, in 2005."""
    folder = tmp_path_factory.mktemp("copies")
    (folder / "archive").mkdir()
    shutil.copytree(encoder_store, folder / "store")
    shown = [colour(seed) for seed in range(PHOTOS)] + [colour(5)[:, :240]]
    for number, pixels in enumerate(shown):
        (folder / "archive" / f"{number}.jpg").write_bytes(jpeg(pixels))
    rows = [{"photo_id": f"{number}.jpg", "published_at": f"{2010 + number}-06-01"} for number in range(PHOTOS)]
    catalog = write_catalog(folder / "catalog.csv", [*rows, {"photo_id": "12.jpg", "published_at": "2005-06-01"}])
    encode(EncodeOptions(archive=str(folder / "archive"), store=str(folder / "store"), catalog=catalog))
    build_index(Store(folder / "store"))
    with Searcher.open(str(folder / "store")) as opened:
        yield opened


def find(searcher: Searcher, pixels: np.ndarray) -> Outcome:
    """Returns what a picture came to, saved as a JPEG."""
    data = jpeg(pixels, quality=85)
    (outcome,) = searcher.find([Query("asked", lambda: data)])
    return outcome


def names(outcome: Outcome) -> list[str]:
    """Returns the photos that were found, in order."""
    return [match.photo["photo_id"] for match in outcome.matches]


def first(outcome: Outcome) -> Match:
    """Returns the best match; there must be one, and it must be a copy."""
    assert outcome.status == "matched"
    assert outcome.matches[0].is_copy
    return outcome.matches[0]


def test_a_crop_finds_its_photo(searcher: Searcher):
    """The transform puts the crop where it was cut from."""
    match = first(find(searcher, colour(3)[60:300, 100:420]))
    assert (match.photo["photo_id"], match.verdict.name) == ("3.jpg", "cropped")
    assert match.evidence is not None
    np.testing.assert_allclose(match.evidence.transform, [[1, 0, 100], [0, 1, 60], [0, 0, 1]], atol=1)
    assert match.thumbnail is not None
    assert "crop" in match.description


def test_a_mirrored_photo_finds_its_original(searcher: Searcher):
    """The mirror is seen, and said."""
    match = first(find(searcher, colour(7)[:, ::-1]))
    assert (match.photo["photo_id"], match.verdict.name) == ("7.jpg", "mirrored")


def test_a_negative_finds_its_original(searcher: Searcher):
    """Its colours are turned round, its corners are where they were."""
    match = first(find(searcher, 255 - colour(8)))
    assert (match.photo["photo_id"], match.verdict.name) == ("8.jpg", "recoloured")


def test_a_collage_finds_each_of_its_photos(searcher: Searcher):
    """Each with a date of its own: what stands beside it says nothing about it."""
    outcome = find(searcher, np.hstack([colour(1), colour(2)]))
    assert sorted(names(outcome)) == ["1.jpg", "2.jpg"]
    dates = {match.photo["photo_id"]: match.seen.at.year for match in outcome.matches}
    assert dates == {"1.jpg": 2011, "2.jpg": 2012}


def test_a_photo_small_in_a_page_is_found_by_a_closer_look(searcher: Searcher):
    """It fills a fifteenth of the page; without the closer look it may be missed, but never mistaken."""
    page = np.full((1_200, 1_600, 3), 245, np.uint8)
    page[500:770, 900:1_260] = cv2.resize(colour(9), (360, 270), interpolation=cv2.INTER_AREA)
    match = first(find(searcher, page))
    assert (match.photo["photo_id"], match.verdict.name) == ("9.jpg", "embedded")


def test_first_seen_is_over_all_copies_of_the_same_part(searcher: Searcher):
    """Half of the photo was published ten years before the whole, and both show the left of the query."""
    outcome = find(searcher, colour(5))
    assert names(outcome) == ["5.jpg", "12.jpg"]
    assert {match.seen.at for match in outcome.matches} == {datetime(2005, 6, 1, tzinfo=timezone.utc)}


def test_every_copy_is_found_one_after_the_other(searcher: Searcher):
    """A lookup lists one copy here: what was found is left aside until nothing is left, and found again after."""
    query = Query("asked", lambda: jpeg(colour(5), quality=85))
    with Searcher.open(searcher._encoder.store, options=MatchOptions(top_k=1)) as one_by_one:
        for _ in range(2):
            copies = list(one_by_one.copies(query))
            assert [match.photo["photo_id"] for match, _ in copies] == ["5.jpg", "12.jpg"]
            assert [[one.photo_id for one in occurrences] for _, occurrences in copies] == [["5.jpg"], ["12.jpg"]]


def test_a_photo_that_the_archive_does_not_hold_is_answered_so(searcher: Searcher):
    """However near its vector is to others."""
    outcome = find(searcher, colour(99))
    assert (outcome.status, list(outcome.matches)) == ("no_match", [])
    assert (outcome.reason or "").startswith("not in this archive")


def test_what_is_only_similar_is_listed_where_it_is_asked_for(searcher: Searcher):
    """Below a half, and the status is that of a query without a copy."""
    with Searcher.open(searcher._encoder.store, options=MatchOptions(similar=True, top_k=4)) as opened:
        outcome = find(opened, colour(99))
    assert outcome.status == "no_match"
    assert len(outcome.matches) == 4
    assert all(match.verdict.score < 0.5 and not match.is_copy for match in outcome.matches)


@pytest.mark.parametrize(("value", "word"), [(200, "blank"), (None, "too simple")])
def test_a_photo_that_shows_nothing_is_not_matchable(searcher: Searcher, value: int | None, word: str):
    """One flat colour, or an even run of tones, could be anything."""
    row = np.linspace(0, 255, 640) if value is None else np.full(640, value)
    outcome = find(searcher, np.broadcast_to(row[None, :, None], (480, 640, 3)).astype(np.uint8))
    assert outcome.status == "not_matchable"
    assert (outcome.reason or "").startswith(word)


@pytest.mark.parametrize("size", [(40, 30), (4_000, 90), (9, 9)])
def test_queries_of_any_size_are_answered(searcher: Searcher, size: tuple[int, int]):
    """Tiny ones and panoramas, found or not, break nothing."""
    outcome = find(searcher, cv2.resize(colour(4), size, interpolation=cv2.INTER_AREA))
    assert outcome.status in ("matched", "no_match", "not_matchable")
    assert names(outcome) in ([], ["4.jpg"])
