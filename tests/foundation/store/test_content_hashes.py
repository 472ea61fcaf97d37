"""Sorted hashes: what is among them is found, whatever bytes it ends in."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.store.content_hashes import find_hashes, hash_array, in_any, local_hashes, mapped_hashes
from foundation.store.files import Store
from tests.builders import content

# Few bytes, and zeros at the end: NumPy drops those of single values.
hashes = st.builds(
    lambda first, zeros: (bytes([first]) * 3 + bytes(29))[: 32 - zeros].ljust(32, b"\0"),
    st.integers(0, 5),
    st.integers(0, 31),
)


@given(st.lists(hashes, unique=True), st.lists(hashes))
def test_a_hash_is_found_where_it_is(known: list[bytes], wanted: list[bytes]) -> None:
    """At its place among the sorted ones, and nowhere if it is none of them."""
    known = sorted(known)
    expected = [known.index(one) if one in known else -1 for one in wanted]
    assert find_hashes(hash_array(known), hash_array(wanted)).tolist() == expected


def test_any_of_several_arrays_may_hold_it() -> None:
    """Also where one of them is empty, or there is none."""
    arrays = [hash_array(sorted(map(content, names))) for names in ("ab", "", "c")]
    assert in_any(arrays, hash_array(map(content, "abcd"))).tolist() == [True, True, True, False]
    assert in_any([], hash_array([content("a")])).tolist() == [False]


@pytest.mark.parametrize("where", ["here", "bucket"])
def test_files_of_a_store_are_mapped(where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A bucket's are copied; several may lie in one folder."""
    store = Store(request.getfixturevalue("bucket") if where == "bucket" else tmp_path / "store", create=True)
    paths = ["run/work/1-known.npy", "run/work/2-known.npy"]
    for path, name in zip(paths, "ab", strict=True):
        np.save(tmp_path / "hashes.npy", hash_array([content(name)]))
        store.upload(path, tmp_path / "hashes.npy")
    with local_hashes(store, paths) as files:
        found = in_any(mapped_hashes(files), hash_array(map(content, "abc")))
    assert found.tolist() == [True, True, False]
