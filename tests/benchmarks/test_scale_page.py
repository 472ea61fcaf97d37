"""docs/scale.md says what the recorded figures say."""

import json

import pytest

from benchmarks.sizing import MILLION, PRICES, read_measured, size
from docs import scale


def test_the_page_is_what_its_figures_make_it():
    """A figure that is measured anew, or a word that is changed in the page alone, is noticed."""
    assert scale.PAGE.read_text(encoding="utf-8") == scale.render() + "\n", "run `python -m docs.scale`"


def test_what_grows_with_the_archive_grows_evenly():
    """Ten times the photos take ten times the hours, bytes and price, and the prices are those of infra/prices.json."""
    prices = json.loads(PRICES.read_text(encoding="utf-8"))
    small, large = (size(photos, read_measured(), prices) for photos in (10 * MILLION, 100 * MILLION))
    for name in ("encode_hours", "index_hours", "embeddings_bytes", "segments_bytes", "search_seconds", "encode_price"):
        assert getattr(large, name) == pytest.approx(10 * getattr(small, name)), name
    assert large.encode_price == pytest.approx((large.encode_hours + large.index_hours) * prices["worker_hour"])
    assert large.million_lookups_price > small.million_lookups_price


@pytest.mark.parametrize(
    ("value", "expected"), [(1.234, "1.2"), (12.34, "12"), (1_234, "1,200"), (0.056, "0.056"), (98_765, "99,000")]
)
def test_numbers_are_said_with_two_digits(value: float, expected: str):
    """What is extrapolated is not known better."""
    assert scale.number(value) == expected
