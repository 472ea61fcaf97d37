"""`foundation.date_columns`: columns of dates, however they were written."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation import date_columns
from foundation.date_columns import read_times
from foundation.photos.dates import read_date

PARTS = st.tuples(
    st.sampled_from(["2024-05-31", "1970-01-01", "0999-02-28", "2023-02-29", "20240531", "2024/05/31"]),
    st.sampled_from(
        ["", "T12", " 12:30", "T12:30:59", " 12:30:59.5", "T12:30:59.123456", "T12:30:59.1234567", "T24:00"]
    ),
    st.sampled_from(["", "Z", "+02:00", "-0330", "+02", " Z"]),
)


@given(st.lists(PARTS.map("".join), min_size=1, max_size=6))
def test_a_bad_neighbour_changes_no_other_date(texts: list[str]) -> None:
    """Arrow's fast reader and ours, which takes over in a block with a bad date, read the same."""
    assert read_times(pa.chunked_array([texts])).to_pylist() == [read_date(text) for text in texts]


def test_blocks_are_put_together_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows keep their places over many blocks and chunks."""
    monkeypatch.setattr(date_columns, "BLOCK_ROWS", 3)
    texts = [f"2024-05-{day:02d}" for day in range(1, 32)]
    times = read_times(pa.chunked_array([texts[:5], texts[5:16], [], [*texts[16:], "bad", None]]))
    assert [time and time.day for time in times.to_pylist()] == [*range(1, 32), None, None]


def test_the_empty_column_is_read() -> None:
    """A catalog of no rows has one."""
    assert read_times(pa.chunked_array([], pa.string())).to_pylist() == []
