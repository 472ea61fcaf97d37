"""Grey photos of another size: the weights of colours, the size, and grey photos left as they are."""

import cv2
import numpy as np
import pytest
from PIL import Image

from evaluation.grey import resize_grey
from tests.photos import scene


def test_grey_photos_of_the_right_size_stay_as_they_are():
    """One channel in, the same values out."""
    photo = scene(0)[..., :1]
    np.testing.assert_array_equal(resize_grey(photo, 96, 64, cv2.INTER_AREA), photo[..., 0])


def test_colours_are_weighted_as_pillow_weights_them():
    """Green is brighter than red, red brighter than blue: ITU-R BT.601."""
    photo = scene(1)
    grey = resize_grey(photo, 96, 64, cv2.INTER_AREA)
    oracle = np.asarray(Image.fromarray(photo).convert("L"))
    assert np.abs(grey.astype(int) - oracle).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("width", "height"), [(9, 8), (32, 32), (112, 112)])
def test_width_and_height_are_not_confused(channels, width, height):
    """The result is uint8 [height, width], smaller or larger than the photo."""
    small = resize_grey(scene(2)[..., :channels], width, height, cv2.INTER_AREA)
    assert (small.shape, small.dtype) == ((height, width), np.uint8)


def test_shrinking_by_area_keeps_the_mean():
    """Each small pixel is the mean of those that it stands for."""
    photo = scene(3, width=64, height=64)[..., :1]
    expected = photo[..., 0].reshape(8, 8, 8, 8).mean(axis=(1, 3))
    assert np.abs(resize_grey(photo, 8, 8, cv2.INTER_AREA) - expected).max() <= 0.5
