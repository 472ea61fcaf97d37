"""Pictures of queries are kept bit by bit."""

from pathlib import Path

import numpy as np
import pytest

from serving.batch.pictures import Pictures, encode_picture
from tests.serving.match.pictures import scene


@pytest.mark.parametrize("shape", [(1, 1), (1, 640), (640, 1), (33, 57), (427, 640)])
def test_a_picture_is_the_same_when_it_is_read(shape: tuple[int, int], tmp_path: Path):
    """Of every shape, with every difference between neighbours that there is."""
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    Pictures({7: encode_picture(picture)}).write(tmp_path / "pictures")
    np.testing.assert_array_equal(Pictures.read(tmp_path / "pictures").picture(7), picture)


def test_a_picture_takes_less_than_its_pixels():
    """Differences of neighbours are small."""
    picture = scene(1)
    assert len(encode_picture(picture)) < 0.7 * picture.nbytes


def test_no_pictures_are_kept_too(tmp_path: Path):
    """A chunk of rejects has none."""
    Pictures({}).write(tmp_path / "pictures")
    assert Pictures.read(tmp_path / "pictures").encoded == {}
