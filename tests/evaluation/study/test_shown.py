"""Photographs that pictures may show: six cuts of each, small, in colour, and recognisably of one photograph."""

import sys

import numpy as np
import pytest

from evaluation.study import shown
from evaluation.study.shown import PHOTOGRAPHS, photographs
from foundation.errors import InputNotFoundError


@pytest.mark.parametrize("size", [16, 32])
def test_each_photograph_is_shown_six_times(size):
    """The whole, four corners and the middle, all different, in colour and of the size asked for."""
    photos, labels, names = photographs(size)
    assert photos.shape == (6 * len(PHOTOGRAPHS), size, size, 3)
    assert photos.dtype == np.uint8
    assert np.bincount(labels).tolist() == [6] * len(PHOTOGRAPHS)
    assert len(np.unique(photos.reshape(len(photos), -1), axis=0)) == len(photos)
    assert np.ptp(photos.astype(int), axis=3).max() > 50
    assert names.tolist() == ["astronaut", "chelsea", "coffee", "hubble", "retina", "rocket"]


def test_cuts_are_parts_of_the_whole():
    """At their places: corners begin or end where the photograph does, the middle as far from both sides."""
    whole = np.arange(50 * 40).reshape(50, 40)
    cuts = shown._cuts(whole)
    assert {cut.shape for cut in cuts} == {(30, 24)}
    assert [cut[0, 0] for cut in cuts] == [whole[0, 0], whole[0, 16], whole[20, 0], whole[20, 16], whole[10, 8]]
    assert [cut[-1, -1] for cut in cuts[:4]] == [whole[29, 23], whole[29, 39], whole[49, 23], whole[49, 39]]


def test_without_scikit_image_the_error_names_the_extra(monkeypatch):
    """One line with the remedy, no traceback of an import."""
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(InputNotFoundError, match=r"the pictures need scikit-image; pip install '\.\[study\]'"):
        photographs(16)
