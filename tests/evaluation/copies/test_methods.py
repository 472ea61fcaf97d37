"""Other methods search the same files: each finds a photo that was only saved again."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.copies.methods import Method, encoder_method, plain_methods, search
from tests.photos import jpeg


def textured(seed: int) -> np.ndarray:
    """Returns uint8 [96, 128, 3] with corners that SIFT finds."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    return cv2.resize(coarse, (128, 96), interpolation=cv2.INTER_NEAREST)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[list[Path], list[Path]]:
    """Six photos of an archive, and three of them saved again and smaller."""
    folder = tmp_path_factory.mktemp("methods")
    archive = [folder / f"photo-{number}.jpg" for number in range(6)]
    queries = [folder / f"query-{number}.jpg" for number in (4, 0, 2)]
    for number, path in enumerate(archive):
        path.write_bytes(jpeg(textured(number)))
    for path in queries:
        path.write_bytes(jpeg(cv2.resize(textured(int(path.stem[-1])), (112, 84)), quality=60))
    return archive, queries


@pytest.mark.parametrize("method", plain_methods(), ids=lambda method: method.name)
def test_plain_methods_find_a_photo_saved_again(method: Method, files: tuple[list[Path], list[Path]]):
    """The original comes first, by the name of its file, and above the next one."""
    answered, query_ms = search(method, *files)
    assert [one.found[0].photo for one in answered] == ["photo-4", "photo-0", "photo-2"]
    assert all(one.found[0].score > one.found[1].score for one in answered)
    assert all(len(one.found) == 6 for one in answered)
    assert query_ms > 0


def test_an_encoder_alone_is_a_method(saved_encoder, files: tuple[list[Path], list[Path]]):
    """Its vectors are compared by the distance that they were made for; a vector's bytes are its numbers'."""
    method = encoder_method(saved_encoder, title="encoder")
    answered, _ = search(method, files[0], files[0])
    assert [one.found[0].photo for one in answered] == [path.stem for path in files[0]]
    assert all(one.found[0].score == pytest.approx(0, abs=1e-6) for one in answered)
    assert method.photo_bytes == 4 * saved_encoder.spec.dimension


def test_a_photo_without_features_matches_nothing(tmp_path: Path, files: tuple[list[Path], list[Path]]):
    """SIFT sees nothing in a blank photo: no photo is nearer than another."""
    blank = tmp_path / "blank.jpg"
    blank.write_bytes(jpeg(np.full((64, 64, 3), 128, np.uint8)))
    answered, _ = search(plain_methods()[-1], files[0], [blank])
    assert {one.score for one in answered[0].found} == {-1.0}
