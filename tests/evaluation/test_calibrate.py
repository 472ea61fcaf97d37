"""Examples that the calibration is made from."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.calibrate import examples_of_additions, examples_of_parallax, examples_of_scenes
from foundation.errors import InputNotFoundError
from serving.match.calibrate import laid_over, score
from tests.serving.match.pictures import scene


def folder_of(folder: Path) -> list[Path]:
    """Writes twelve pictures as PNG, and returns their paths."""
    paths = [folder / f"{number}.png" for number in range(12)]
    for number, path in enumerate(paths):
        cv2.imwrite(str(path), scene(number))
    return paths


def test_what_was_laid_over_looks_otherwise_than_what_was_replaced(tmp_path: Path):
    """The committed weights tell both apart, of pictures that they were not fitted to."""
    found = list(examples_of_additions(folder_of(tmp_path), each=1, seed=0))
    probability = {
        group: np.median([laid_over(one.values) for one in found if one.group == group])
        for group in ("laid_over", "replaced")
    }
    assert probability["laid_over"] > 0.7 > 0.5 > probability["replaced"]


def test_a_step_aside_is_no_copy(tmp_path: Path):
    """Made-up parallax scores low, with pixels compared and without."""
    found = list(examples_of_parallax(folder_of(tmp_path), count=6, seed=0))
    assert {group for group, _ in found} == {"parallax"}
    assert {one.dense is None for _, one in found} == {True, False}
    assert np.median([score(one) for _, one in found if one.dense]) < 0.5


def test_a_file_that_is_no_photo_is_named(tmp_path: Path):
    """Folders of scenes may hold notes of who took them."""
    (tmp_path / "notes.txt").write_text("taken in May")
    with pytest.raises(InputNotFoundError, match=r"notes\.txt cannot be decoded"):
        list(examples_of_scenes([tmp_path]))
