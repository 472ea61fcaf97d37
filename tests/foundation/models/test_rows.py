"""What one row of a batch is: compared, and worded for messages."""

import numpy as np
import pytest

from foundation.models.rows import Rows

KNOWN = Rows(np.uint8, (8, 8, 3))


@pytest.mark.parametrize("open_rows", [KNOWN, Rows(np.uint8, (None, None, 3)), Rows(np.uint8, None)])
def test_a_model_admits_what_its_signature_leaves_open(open_rows: Rows) -> None:
    """An unknown size, or a shape that is unknown altogether, admits every one."""
    assert open_rows.admits(KNOWN)


@pytest.mark.parametrize(
    "other", [Rows(np.float32, (8, 8, 3)), Rows(np.uint8, (8, 8)), Rows(np.uint8, (None, 8, 1)), Rows(np.int8, None)]
)
def test_another_dtype_rank_or_size_is_not_admitted(other: Rows) -> None:
    """Each of the three is enough."""
    assert not other.admits(KNOWN)


def test_rows_are_worded_as_a_batch() -> None:
    """With `n` for the number of rows, and dots for a shape that is unknown."""
    assert str(KNOWN) == "uint8 [n, 8, 8, 3]"
    assert str(Rows(np.float32, (None, 2))) == "float32 [n, None, 2]"
    assert str(Rows(np.float32, None)) == "float32 [n, ...]"
