"""Tests of finding photos by their local features, in segments with trees and without."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from foundation.photos.compressed_features import CompressedFeatures, compress
from foundation.photos.local_features import extract, inverted, mirrored
from foundation.store.segments import LOCAL_SCANN, LocalTree
from pipelines.index.local_scann import plan_local_trees, write_local_scann
from serving.search.local_candidates import LocalCandidate, descriptors_of, local_candidates
from serving.search.local_index import LocalIndex
from serving.search.near_features import SearchedSegment, near_features
from tests.serving.search.local_segments import BLANK, features_of, picture, write_local

PHOTOS = 60
WANTED = 17


@pytest.fixture(scope="module", params=["exact", "scann"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalIndex:
    """Returns a segment of made photos, searched in either way."""
    segment = write_local(tmp_path_factory.mktemp("segment"), features_of([picture(seed) for seed in range(PHOTOS)]))
    return LocalIndex(segment, write_trees(segment) if request.param == "scann" else [])


def write_trees(segment: Path) -> list[LocalTree]:
    """Writes trees over the descriptors of a segment."""
    descriptors = np.load(segment / "local/descriptors.npy")
    trees = plan_local_trees(len(descriptors), exact_below=1)
    write_local_scann(segment / LOCAL_SCANN, descriptors, trees)
    return trees


def candidates_of(
    segments: Sequence[LocalIndex],
    views: Sequence[CompressedFeatures],
    k: int,
    hidden: Sequence[np.ndarray | None] | None = None,
) -> list[LocalCandidate]:
    """Returns what is found in some segments, searched together."""
    searched = map(SearchedSegment, range(len(segments)), segments, hidden or [None] * len(segments))
    return local_candidates(views, near_features(list(searched), descriptors_of(views)), k)


def found(index: LocalIndex, pixels: np.ndarray, *, k: int = 5) -> list[LocalCandidate]:
    """Returns what is found for a query by its three views."""
    features = extract(np.ascontiguousarray(pixels), most=300)
    views = [compress(view) for view in (features, mirrored(features), inverted(features))]
    return candidates_of([index], views, k)


def pasted(pixels: np.ndarray) -> np.ndarray:
    """Returns a picture of another scene with this one small in a corner."""
    canvas = picture(1_000, width=400, height=300)
    canvas[20:128, 30:174] = cv2.resize(pixels, (144, 108), interpolation=cv2.INTER_AREA)
    return canvas


@pytest.mark.parametrize(
    ("edit", "view"),
    [
        (lambda pixels: pixels, 0),
        (lambda pixels: pixels[40:130, 60:180], 0),
        (lambda pixels: cv2.resize(pixels, None, fx=1.7, fy=1.7), 0),
        (lambda pixels: np.rot90(pixels), 0),
        (pasted, 0),
        (lambda pixels: pixels[:, ::-1], 1),
        (lambda pixels: 255 - pixels, 2),
    ],
    ids=["same", "cropped", "enlarged", "turned", "pasted", "mirrored", "negative"],
)
def test_an_edited_photo_is_found_first(index: LocalIndex, edit: Callable[[np.ndarray], np.ndarray], view: int):
    """The original of each edit has the most votes, by the view that undoes the edit."""
    best, second, *_ = found(index, edit(picture(WANTED)))
    assert (best.segment, best.row, best.view) == (0, WANTED, view)
    assert best.votes > 2 * second.votes


def test_a_collage_finds_its_parts(index: LocalIndex):
    """Two photos side by side are the two with the most votes."""
    both = np.concatenate([picture(3), picture(8)], axis=1)
    assert {one.row for one in found(index, both, k=2)} == {3, 8}


def test_a_blank_query_finds_nothing(index: LocalIndex):
    """A query without features has no candidates."""
    assert found(index, BLANK) == []


def test_there_are_never_more_than_k_nor_a_photo_twice(index: LocalIndex):
    """Candidates are distinct photos, by their votes, as many as asked for at most."""
    for k in (1, 12, 1_000):
        candidates = found(index, picture(WANTED), k=k)
        assert len({one.row for one in candidates}) == len(candidates) <= min(k, PHOTOS)
        assert [one.votes for one in candidates] == sorted((one.votes for one in candidates), reverse=True)


def test_segments_are_searched_as_if_they_were_one(tmp_path: Path):
    """Photos cut into three segments, one of blank photos, are found with the same votes as in one."""
    photos = features_of([picture(seed) for seed in range(20)])
    query = [compress(extract(picture(13)[20:150, 30:200], most=300))]
    whole = candidates_of([LocalIndex(write_local(tmp_path / "whole", photos))], query, 8)
    groups = [photos[:6], features_of([BLANK, BLANK]), photos[6:]]
    parts = [LocalIndex(write_local(tmp_path / str(number), group)) for number, group in enumerate(groups)]
    found_in_parts = candidates_of(parts, query, 8)
    assert found_in_parts[0][:2] == (2, 7)
    assert [one.row + 6 * (one.segment == 2) for one in found_in_parts] == [one.row for one in whole]
    assert [one.votes for one in found_in_parts] == pytest.approx([one.votes for one in whole])


@pytest.mark.parametrize("copies", [1, 12])
def test_nothing_votes_for_a_hidden_photo(tmp_path: Path, copies: int):
    """Copies that are hidden, more than a feature has neighbours, do not crowd out the one that is not."""
    photos = features_of([picture(seed) for seed in range(1, 21)])
    wanted = features_of([picture(WANTED + 100)])
    hidden = np.arange(20 + copies + 1) >= 21
    built = []
    for name in ("exact", "scann"):
        segment = write_local(tmp_path / name, [*photos, *wanted, *(wanted * copies)])
        built.append(LocalIndex(segment, write_trees(segment) if name == "scann" else []))
    views = [compress(extract(picture(WANTED + 100)[10:150, 20:200], most=300))]
    for index in built:
        candidates = candidates_of([index], views, 8, hidden=[hidden])
        assert candidates[0].row == 20
        assert all(one.row <= 20 for one in candidates)
        assert {one.row for one in candidates_of([index], views, 8, hidden=[~hidden])} <= set(range(21, 33))


def test_an_archive_of_one_photo_is_searched(tmp_path: Path):
    """With fewer features than neighbours are asked for, those that there are vote."""
    index = LocalIndex(write_local(tmp_path, features_of([BLANK, picture(1)], most=3)))
    assert [one.row for one in found(index, picture(1))] == [1]


def test_an_archive_without_features_finds_nothing(tmp_path: Path):
    """Photos without texture get no votes, and no segments find nothing."""
    assert found(LocalIndex(write_local(tmp_path, features_of([BLANK]))), picture(1)) == []
    assert candidates_of([], features_of([picture(1)]), 5) == []


@pytest.mark.parametrize("noise", [0, 3])
def test_many_copies_of_a_photo_are_found(tmp_path: Path, noise: float):
    """More copies of a photo than a feature has neighbours, equal or not quite, outvote other photos."""
    generator = np.random.default_rng(0)
    copies = [np.clip(picture(0) + generator.normal(0, noise, (180, 240)), 0, 255).astype(np.uint8) for _ in range(12)]
    photos = [picture(seed) for seed in range(1, 41)] + copies
    index = LocalIndex(write_local(tmp_path, features_of(photos)))
    candidates = found(index, picture(0)[10:150, 20:200], k=8)
    assert all(one.row >= 40 for one in candidates)
