"""Pictures of the evidence: the query lies where the transform says, and differences are where they are."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from serving.match.footprint import Size
from serving.output.evidence.pictures import aligned, difference_map
from serving.output.evidence.proof import Original, Proof, read_picture
from serving.output.pictures import Picture
from tests.evidence import made_evidence
from tests.photos import jpeg, scene
from tests.serving.output.evidence.desk import PHOTO, QUERY, TRANSFORM, copy_of, proof_of


def laid(proof: Proof) -> np.ndarray:
    """Returns the query laid onto the photo, as numbers that can be subtracted."""
    found = aligned(proof)
    assert found is not None
    return found.astype(int)


def test_the_query_lies_on_its_part_of_the_photo(tmp_path: Path):
    """Mirrored back, to the pixel; the banner hides what it hides, the rest of the photo is pale."""
    found = laid(proof_of(tmp_path, copy_of(tmp_path)))
    assert np.abs(found[11:49, 21:79] - PHOTO[11:49, 21:79]).mean() < 4
    assert found[51:59, 21:79].max() < 40
    assert found[:8].min() > 200
    assert found[:, 84:].min() > 200


def test_a_negative_is_turned_back(tmp_path: Path):
    """So that eyes can compare both."""
    negative = read_picture("", lambda _: jpeg(255 - QUERY, quality=95), side=200)
    evidence = made_evidence(TRANSFORM, is_inverted=True)
    found = laid(proof_of(tmp_path, copy_of(tmp_path, evidence=evidence), query=negative))
    assert np.abs(found[11:49, 21:79] - PHOTO[11:49, 21:79]).mean() < 4


@pytest.mark.parametrize(("height", "width", "most"), [(2_400, 3_600, 4), (16, 24, 9)])
def test_large_and_small_queries_lie_at_the_same_place(tmp_path: Path, height: int, width: int, most: float):
    """A query is read smaller than its file, averaged down, or enlarged: the transform speaks of its full size."""
    whole = cv2.resize(PHOTO, (width, height), interpolation=cv2.INTER_AREA)
    query = read_picture("", lambda _: jpeg(whole, quality=95), side=1_600)
    scale = 120 / width
    transform = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2], [0, 0, 1]])
    found = laid(proof_of(tmp_path, copy_of(tmp_path, evidence=made_evidence(transform)), query=query))
    assert np.abs(found[6:-6, 6:-6] - PHOTO[6:-6, 6:-6]).mean() < most


def test_a_large_query_is_averaged_down(tmp_path: Path):
    """A fine pattern becomes its mean: sampled, it would become a coarse one that neither photo has."""
    pattern = np.repeat((np.indices((560, 840)).sum(axis=0) % 2 * 255)[..., None], 3, axis=2).astype(np.uint8)
    query = Picture(pattern, Size(840, 560), b"")
    evidence = made_evidence(np.array([[1 / 7, 0, -3 / 7], [0, 1 / 7, -3 / 7], [0, 0, 1]]))
    found = laid(proof_of(tmp_path, copy_of(tmp_path, evidence=evidence), query=query))
    assert np.abs(found[1:-1, 1:-1] - 127).max() < 20


def test_without_measurements_nothing_is_laid(tmp_path: Path):
    """The same bytes need no comparison, and a query that is gone allows none."""
    proof = proof_of(tmp_path, copy_of(tmp_path))
    assert aligned(replace(proof, query=None)) is None
    assert aligned(proof_of(tmp_path, copy_of(tmp_path, evidence=None, verdict="identical"))) is None
    assert difference_map(proof) is None


def test_a_photo_that_is_gone_leaves_an_empty_place(tmp_path: Path):
    """The query lies on grey, in the shape of the photo."""
    found = laid(proof_of(tmp_path, copy_of(tmp_path), original=Original("unreadable", None)))
    assert found.shape == (80, 120, 3)
    assert np.abs(found[11:49, 21:79] - PHOTO[11:49, 21:79]).mean() < 4
    assert np.ptp(found[:8]) == 0


@pytest.mark.parametrize("transform", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.diag([1e9, 1e-9, 1.0])])
def test_a_mad_transform_breaks_nothing(tmp_path: Path, transform: np.ndarray):
    """Whatever an index holds, a page comes of it."""
    with np.errstate(all="ignore"):
        assert laid(proof_of(tmp_path, copy_of(tmp_path, evidence=made_evidence(transform)))).shape == (80, 120, 3)


def test_differences_are_coloured_where_they_are(tmp_path: Path):
    """Grey where both agree, red where they differ, pale beside the query; the map is as coarse as the thumbnail."""
    difference = np.full((40, 60), np.nan, np.float32)
    difference[5:30, 10:40] = 0.1
    difference[25:30, 10:40] = 1
    evidence = made_evidence(TRANSFORM, difference=difference)
    found = difference_map(proof_of(tmp_path, copy_of(tmp_path, evidence=evidence)))
    assert found is not None
    found = found.astype(int)
    assert found.shape == (80, 120, 3)
    assert np.ptp(found[14:44, 24:76], axis=2).max() == 0
    red, green, blue = np.moveaxis(found[53:58, 24:76], -1, 0)
    assert (red - np.maximum(green, blue)).min() > 60
    assert found[:8].min() > 200


def test_a_scene_of_one_row_is_drawn(tmp_path: Path):
    """A strip of eight pixels is a photo too."""
    strip = read_picture("", lambda _: jpeg(scene(4, width=320, height=8)), side=1_600)
    assert laid(proof_of(tmp_path, copy_of(tmp_path), query=strip)).shape == (80, 120, 3)
