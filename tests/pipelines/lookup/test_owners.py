"""Which query holds the answer to a content."""

from pathlib import Path

import pytest

from foundation.store.files import Store
from pipelines.lookup.contents import Contents
from pipelines.lookup.files import Work, WorkingFiles
from pipelines.lookup.names import answers_file
from pipelines.lookup.owners import Owners, QueryPlace

# One that ends in zeros, which NumPy drops of a fixed width.
CONTENTS = [bytes([number]) * 30 + b"\0\0" for number in range(1, 6)]


@pytest.fixture
def files(tmp_path: Path) -> WorkingFiles:
    """Of a lookup with three chunks: the second one asked again what the first one did."""
    files = WorkingFiles(Store(tmp_path, create=True), "lookups/a")
    for chunk, held in enumerate([{4: CONTENTS[1], 2: CONTENTS[0]}, {0: CONTENTS[1], 1: CONTENTS[2]}, {}]):
        files.create(answers_file(chunk), {"contents": Contents.of(held)}, Work(5, 0.0))
    return files


def test_the_first_one_to_ask_holds_the_answer(files: WorkingFiles) -> None:
    """Of chunks that are taken up together, and one after the other."""
    expected = [QueryPlace(0, 2), QueryPlace(0, 4), QueryPlace(1, 1), None, None]
    together, one_by_one = Owners(), Owners()
    assert len(together.add(files, [0, 1, 2])) == 3
    assert [len(one_by_one.add(files, [chunk])) for chunk in range(3)] == [2, 1, 0]
    for owners in (together, one_by_one):
        assert [owners.owner(one) for one in CONTENTS] == expected


def test_without_chunks_nobody_holds_anything(files: WorkingFiles) -> None:
    """And nothing is new."""
    owners = Owners()
    assert len(owners.add(files, [])) == 0
    assert owners.owner(CONTENTS[0]) is None
