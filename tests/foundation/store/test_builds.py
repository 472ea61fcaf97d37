"""Builds: what an index job hands to its launcher."""

import pytest

from foundation.errors import InputNotFoundError
from foundation.store.builds import BUILDS, take_build, write_build
from foundation.store.files import Store
from foundation.store.segments import SegmentReference


def test_a_build_is_taken_once(tmp_path):
    """The segments come in their order, a retry of the last step changes nothing, and no file is left."""
    store = Store(tmp_path, create=True)
    segments = [SegmentReference(segment_id=name, digest="0" * 64, rows=1, photos=2) for name in ("b", "a")]
    for _ in range(2):
        write_build(store, "build", segments)
    assert take_build(store, "build") == segments
    assert store.files(BUILDS) == []
    with pytest.raises(InputNotFoundError):
        take_build(store, "build")
