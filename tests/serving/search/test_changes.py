"""The changes of a segment: what it says of contents beside its rows."""

from pathlib import Path

import numpy as np
import pytest

from foundation.errors import ArtifactRefusedError
from foundation.store.segments import CHANGED_HASHES
from serving.search.changes import OpenChanges
from tests.builders import content, segment
from tests.segments import occurrence, write_changes

GONE = occurrence("p.jpg", is_removed=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a segment that mentions two contents; a photo went from one of them."""
    write_changes(tmp_path, {content("p"): [GONE], content("q"): [occurrence("q.jpg")]})
    return tmp_path


def test_what_is_said_of_a_content_is_found_by_its_hash(folder: Path):
    """Of one that is not mentioned nothing is said."""
    changes = OpenChanges(folder, segment(changes=2))
    assert changes.occurrences(content("p")) == [GONE.to_struct()]
    assert changes.occurrences(content("unknown")) == []
    assert [bytes(one).ljust(32, b"\0") for one in changes.removed.tolist()] == [content("p")]


def test_others_than_the_description_counts_are_refused(folder: Path):
    """Removals that go unread would bring back what is gone."""
    with pytest.raises(ArtifactRefusedError, match=r"2 rows and changed_hashes\.npy 2, its description counts 3"):
        OpenChanges(folder, segment(changes=3))
    np.save(folder / CHANGED_HASHES, np.empty(0, "S32"))
    with pytest.raises(ArtifactRefusedError, match=r"2 rows and changed_hashes\.npy 0, its description counts 2"):
        OpenChanges(folder, segment(changes=2))
