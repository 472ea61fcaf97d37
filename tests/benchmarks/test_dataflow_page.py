"""docs/dataflow.md says of an archive's size what docs/scale.md computes."""

import json
import re

from benchmarks.sizing import MILLION, PRICES, read_measured, size
from docs.scale import gigabytes, number
from pipelines.runners.dataflow import MAX_WORKERS
from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "dataflow.md"


def row_of(photos: int) -> str:
    """Returns a line of the page's table."""
    found = size(photos, read_measured(), json.loads(PRICES.read_text(encoding="utf-8")))
    hours = found.encode_hours + found.index_hours
    stored = gigabytes(found.embeddings_bytes + found.segments_bytes)
    figures = (hours, found.encode_price, hours / MAX_WORKERS)
    words = [f"{photos:,}", *map(number, figures), stored, number(found.store_price_month)]
    return f"| {' | '.join(words)} |"


def test_the_table_is_what_was_measured():
    """One place computes hours, prices and gigabytes: two pages with two figures are worth none."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| [\d,]+ \|", line)]
    assert rows == [row_of(photos * MILLION) for photos in (1, 10, 100)]


def test_the_bytes_of_a_photo_are_one_figure():
    """Wherever it stands."""
    measured = read_measured()
    said = f"{number((measured.encode_bytes + measured.segment_bytes) / 1e3)} KB a photo"
    for page in ("docs/dataflow.md", "docs/operating.md", "docs/scale.md", "firstseen/commands/archive_options.py"):
        assert said in " ".join((REPOSITORY / page).read_text(encoding="utf-8").split()), page
