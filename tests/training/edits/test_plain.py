"""What holds of every parameterised edit: type, channels, sizes, repetition, and that the photo itself stays."""

import numpy as np
import pytest
from hypothesis import given, settings

from tests.photos import scene
from tests.training.edits.plain import EDITS, SAME_SIZE
from tests.training.edits.strategies import photos
from training.edits.families.kind import Edit

PHOTO = scene(7, width=120, height=80)


@pytest.mark.parametrize("name", EDITS)
@settings(deadline=None, max_examples=15)
@given(photo=photos())
def test_an_edit_repeats_itself_and_leaves_its_input_alone(name: str, photo: np.ndarray) -> None:
    """Any shape, grey or colour: the same uint8 picture each time, as many channels, in memory of its own."""
    before, edit = photo.copy(), EDITS[name]
    edited = edit(photo)
    assert (edited.dtype, edited.ndim, edited.shape[2]) == (np.uint8, 3, photo.shape[2])
    np.testing.assert_array_equal(edited, edit(photo))
    if name in SAME_SIZE:
        assert edited.shape == photo.shape
    edited[:] = 0
    np.testing.assert_array_equal(photo, before)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("shape", [(1, 448), (448, 1)])
def test_a_line_of_pixels_is_edited_like_any_photo(edit: Edit, shape: tuple[int, int]) -> None:
    """Nothing fails on the narrowest photos there are."""
    assert edit(np.full((*shape, 3), 90, np.uint8)).size


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_changes_a_photo(edit: Edit) -> None:
    """With the parameters of the list no edit gives back what it got."""
    edited = edit(PHOTO)
    assert edited.shape != PHOTO.shape or np.any(edited != PHOTO)
