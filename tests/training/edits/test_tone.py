"""Brighten: values grow by a factor, places stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import UsageError
from tests.training.edits.golden import made_photos
from tests.training.edits.strategies import photos
from training.edits.tone import brighten


@settings(deadline=None)
@given(photo=photos(), factor=st.floats(0.01, 10))
def test_brighten_multiplies_and_stops_at_white(photo: np.ndarray, factor: float) -> None:
    """Each value is the product, rounded, up to 255; shape, type and the photo itself stay."""
    before = photo.copy()
    brighter = brighten(photo, factor=factor)
    assert (brighter.shape, brighter.dtype) == (photo.shape, np.uint8)
    # OpenCV multiplies in single precision, which may round a product of almost one half the other way.
    np.testing.assert_allclose(brighter, np.minimum(np.rint(photo * factor), 255), atol=1)
    np.testing.assert_array_equal(photo, before)


@settings(deadline=None)
@given(photo=photos())
def test_a_factor_of_one_changes_nothing(photo: np.ndarray) -> None:
    """The neutral factor gives the photo, in memory of its own."""
    same = brighten(photo, factor=1)
    np.testing.assert_array_equal(same, photo)
    assert not np.shares_memory(same, photo)


@pytest.mark.parametrize("factor", [-1, 0, 10.1, float("nan")])
def test_factors_out_of_bounds_are_refused(factor: float) -> None:
    """A factor outside its bounds is a usage error that names them."""
    with pytest.raises(UsageError, match=rf"factor is {factor}; expected 0\.01 to 10"):
        brighten(made_photos(1, 8, 8, 3)[0], factor=factor)
