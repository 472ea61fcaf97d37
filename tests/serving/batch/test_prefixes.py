"""Contents are found by the first bytes of their hashes, whatever these begin and end with."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foundation.store.content_hashes import hash_array
from serving.batch.prefixes import prefixes_of, rows_with

# Few different bytes, the extreme ones among them, so that many begin alike.
HASHES = st.lists(st.lists(st.sampled_from([0, 1, 255]), min_size=5, max_size=5).map(bytes), max_size=30)


@given(HASHES, HASHES)
def test_all_rows_that_begin_alike_are_found(held: list[bytes], wanted: list[bytes]):
    """And no others; the numbers of prefixes are in the order of the hashes."""
    hashes = np.unique(hash_array(one.ljust(32, b"\0") for one in held))
    prefixes = prefixes_of(hashes)
    asked = prefixes_of(hash_array(one.ljust(32, b"\7") for one in wanted))
    assert (np.diff(prefixes.astype(np.int64)) >= 0).all()
    assert rows_with(hashes, asked).tolist() == np.flatnonzero(np.isin(prefixes, asked)).tolist()


def test_a_prefix_is_a_number_of_four_bytes():
    """The first byte counts most; a hash that is all zeros, which NumPy shortens to nothing, has one as well."""
    assert prefixes_of(hash_array([b"\1\2\3\4" + bytes(28), bytes(32)])).tolist() == [0x01020304, 0]
