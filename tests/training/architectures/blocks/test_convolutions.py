"""Maps that are halved, doubled, and ended in photos."""

import keras
import numpy as np
import pytest

from foundation.errors import UsageError
from training.architectures.blocks.convolutions import cropped, enlarged, pooled, side_after, to_map, to_photos


@pytest.mark.parametrize(
    ("size", "halvings", "side"), [(28, 0, 28), (28, 2, 7), (28, 3, 4), (9, 4, 1), (8, 3, 1), (1024, 10, 1)]
)
def test_sides_are_halved_and_rounded_up(size, halvings, side):
    """As the pooling layers do it."""
    assert side_after(size, halvings) == side
    photos = keras.Input((size, size, 1))
    assert pooled(photos, [1] * halvings).shape == (None, side, side, 1)


@pytest.mark.parametrize(("size", "halvings"), [(8, 4), (16, 5), (8, 10)])
def test_a_single_pixel_is_not_halved(size, halvings):
    """One halving less is the most."""
    with pytest.raises(UsageError, match=rf"size {size} is too small for {halvings} halvings; expected at least"):
        side_after(size, halvings)


@pytest.mark.parametrize("decoder", ["upsampling", "transpose"])
@pytest.mark.parametrize("repeats", [1, 3])
def test_maps_are_doubled_once_per_width(decoder, repeats):
    """Either decoder, with as many convolutions a width as it is asked for."""
    features = keras.Input((3, 3, 2))
    model = keras.Model(features, enlarged(features, [4, 5], decoder=decoder, repeats=repeats))
    assert model.output_shape == (None, 12, 12, 5)
    learned = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose)]
    assert len(learned) == 2 * repeats


def test_the_code_becomes_a_map():
    """One dense layer, which cannot be negative."""
    features = keras.Input((6,))
    model = keras.Model(features, to_map(features, side=3, filters=2))
    found = np.asarray(model(np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)))
    assert found.shape == (4, 3, 3, 2)
    assert found.min() >= 0


def test_what_rounding_up_added_is_cut_off_below_and_to_the_right():
    """The upper left corner stays where it is; a photo that fits is left alone."""
    photos = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(np.asarray(cropped(photos, 3)), photos[:, :3, :3])
    assert cropped(photos, 4) is photos
    features = keras.Input((8, 8, 2))
    assert to_photos(features, size=7, channels=3).shape == (None, 7, 7, 3)
