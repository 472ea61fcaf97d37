"""The demo's edits: each leaves a mark, whatever the photo, and can be told with its parameters."""

import json

import numpy as np
import pytest

from firstseen.demo.archive import QUERIES
from firstseen.demo.edits import EDITS
from tests.photos import scene

PHOTO = scene(7, width=120, height=80)


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_is_deterministic_and_leaves_its_input_alone(name: str) -> None:
    """An edit gives the same uint8 RGB photo each time, another than it got."""
    before = PHOTO.copy()
    edited = EDITS[name](PHOTO)
    np.testing.assert_array_equal(edited, EDITS[name](PHOTO))
    np.testing.assert_array_equal(PHOTO, before)
    assert edited.dtype == np.uint8
    assert edited.ndim == 3
    assert edited.shape[2] == 3
    assert edited.shape != PHOTO.shape or not np.array_equal(edited, PHOTO)


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("shape", [(1, 1), (9, 500), (500, 9)])
def test_every_edit_takes_any_shape(name: str, shape: tuple[int, int]) -> None:
    """Tiny and narrow photos are edited as well."""
    edited = EDITS[name](np.full((*shape, 3), 120, np.uint8))
    assert min(edited.shape) >= 1


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_the_function_of_its_name_with_parameters_that_can_be_written_down(name: str) -> None:
    """The function has the name of the query's file, and its parameters survive JSON."""
    assert EDITS[name].func.__name__ == name
    assert json.loads(json.dumps(EDITS[name].keywords)) == EDITS[name].keywords


def test_each_edit_has_a_photograph_of_its_own() -> None:
    """The demo makes one query per edit, each of another photograph."""
    assert QUERIES.keys() == EDITS.keys()
    assert len(set(QUERIES.values())) == len(EDITS)
