"""Tests of the local features of a query."""

import cv2
import numpy as np
import pytest

from foundation.photos.local_features import LONGEST_SIDE, extract
from foundation.photos.query_features import (
    CLOSE_FEATURES,
    OF_STRONGEST,
    QUERY_FEATURES,
    close_features,
    query_features,
)
from foundation.photos.thumbnail import shrink_frame
from tests.serving.search.local_segments import BLANK, picture


def enlarged(seed: int, *, side: int) -> np.ndarray:
    """Returns a picture full of corners of that longest side."""
    pixels = picture(seed)
    return cv2.resize(pixels, None, fx=side / pixels.shape[1], fy=side / pixels.shape[1])


def test_a_small_query_has_the_features_of_its_own_pixels():
    """A picture that fits into the frame is extracted as it is, with more features than an archive's photo."""
    query, expected = query_features(picture(1)), extract(picture(1), most=QUERY_FEATURES, of_strongest=OF_STRONGEST)
    assert (query.width, query.height) == (240, 180)
    assert np.array_equal(query.descriptors, expected.descriptors)


def test_colours_are_seen_as_their_grey():
    """A colour picture has the features of its luma."""
    colour = np.stack([picture(1), picture(2), picture(3)], axis=2)
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)
    assert np.array_equal(query_features(colour).descriptors, query_features(grey).descriptors)


@pytest.mark.parametrize("side", [1_600, 200])
def test_a_closer_look_adds_features_in_the_same_frame(side: int):
    """Large pictures and thumbnails get those of their details, at the places where the picture shows them."""
    pixels = enlarged(1, side=side)
    plain, close = query_features(pixels), close_features(pixels)
    assert (close.width, close.height) == (plain.width, plain.height)
    whole = extract(shrink_frame(pixels, max_side=LONGEST_SIDE), most=CLOSE_FEATURES, by_octave=True)
    assert len(whole) + CLOSE_FEATURES >= len(close) > len(whole)
    assert np.array_equal(close.keypoints[: len(whole)], whole.keypoints)
    added = close.keypoints[len(whole) :]
    assert (added[:, :2] > -1).all()
    assert (added[:, :2] < (close.width, close.height)).all()
    # A corner that both looks show lies at the same place and has the same scale in both.
    distances = np.linalg.norm(added[:, None, :2] - plain.keypoints[None, :, :2], axis=2)
    near = distances.min(axis=1) < 0.5
    assert near.mean() > 0.1
    ratio = added[near, 2] / plain.keypoints[distances.argmin(axis=1)[near], 2]
    assert 0.8 < np.median(ratio) < 1.25


def test_a_picture_that_is_shown_whole_already_has_no_details():
    """Between a thumbnail and the archive's size a closer look has more features of the same frame alone."""
    pixels = enlarged(1, side=320)
    assert np.array_equal(
        close_features(pixels).keypoints, extract(pixels, most=CLOSE_FEATURES, by_octave=True).keypoints
    )


def test_a_blank_picture_has_no_features():
    """Neither look finds any."""
    assert len(query_features(BLANK)) == len(close_features(BLANK)) == 0
