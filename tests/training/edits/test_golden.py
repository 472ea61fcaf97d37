"""Trainings, the study and the demo keep their results: a seed gives the same bytes as when they were published."""

import json

import cv2
import pytest

from tests.training.edits.golden import FILE, digests

EXPECTED: dict[str, str] = json.loads(FILE.read_text())

# OpenCV multiplies and adds in one step where the processor can, and then rounds some values of a rotation otherwise.
AVX2 = 11  # CV_CPU_AVX2; OpenCV's Python module has no name for it
needs_avx2 = pytest.mark.skipif(
    not cv2.checkHardwareSupport(AVX2), reason="the golden digests were made on a processor with AVX2"
)


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """The digests of what the present code makes."""
    return digests()


def test_every_name_has_a_golden_digest(found: dict[str, str]) -> None:
    """A corruption, disturbance or edit that is new is written to the golden file, and one that is gone leaves it."""
    assert found.keys() == EXPECTED.keys()


@needs_avx2
@pytest.mark.parametrize("name", EXPECTED)
def test_results_are_bit_identical(name: str, found: dict[str, str]) -> None:
    """Grey and colour, four sizes, three seeds: not one value has moved since the golden file was written."""
    assert found[name] == EXPECTED[name]
