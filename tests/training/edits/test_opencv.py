"""OpenCV under the edits: no axis is lost, and borders are what numpy.pad means by their names."""

import cv2
import numpy as np
import pytest

from training.edits.opencv import BORDERS, Border, with_channels


@pytest.mark.parametrize(("made", "shape"), [((5, 7), (5, 7, 1)), ((5, 7, 1), (5, 7, 1)), ((5, 7, 3), (5, 7, 3))])
def test_the_axis_of_a_single_channel_comes_back(made: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """A picture has three axes after it, with or without the last one before."""
    assert with_channels(np.zeros(made, np.uint8)).shape == shape


@pytest.mark.parametrize(("border", "mode"), [("black", "constant"), ("edge", "edge"), ("reflect", "reflect")])
def test_borders_are_those_of_numpy(border: Border, mode: str) -> None:
    """Two pixels around a photo hold what numpy.pad puts there in the mode of that name."""
    photo = np.arange(12, dtype=np.uint8).reshape(3, 4)
    around = cv2.copyMakeBorder(photo, 2, 2, 2, 2, BORDERS[border])
    np.testing.assert_array_equal(around, np.pad(photo, 2, mode))  # type: ignore[call-overload]
