"""The page about the store: what is live and what went wrong, in words."""

from dataclasses import asdict, replace
from datetime import datetime, timezone

import pytest

from foundation.store.files import Store
from foundation.store.status import read_status
from serving.http.status_page import ago, status_values
from serving.live.state import LiveState
from serving.output.view import templates
from tests.conftest import Desk

STATE = LiveState(
    is_ready=True,
    live=1,
    loaded=(1,),
    refused={},
    looked_at=datetime(2024, 5, 1, tzinfo=timezone.utc),
    problem=None,
    queue_queries=0,
    lists_age_seconds=3,
)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 seconds"), (1, "1 second"), (119, "1 minute"), (7_200, "2 hours"), (90_000, "1 day")]
)
def test_spans_are_told_in_their_largest_unit(seconds: float, words: str):
    """Nobody reads how many seconds two days have."""
    assert ago(seconds) == words


def page(desk: Desk, **changes) -> str:
    """Returns the page of a store."""
    status = asdict(read_status(Store(desk.store)))
    return templates().get_template("status.html").render(status_values(status, replace(STATE, **changes)))


def test_a_store_that_answers_is_told(live_desk: Desk):
    """Its snapshot, its segments, and its last run."""
    said = page(live_desk)
    assert "Snapshot 1 answers: 10 photos" in said
    assert "The last runs rejected none." in said
    assert "10 listed, 10 embedded" in said
    assert 'class="alarm"' not in said


def test_what_is_wrong_is_told(live_desk: Desk):
    """A snapshot that was refused, a store that could not be read, and a service that does not answer."""
    said = page(live_desk, refused={2: "digest <x>"}, problem="no network", is_ready=False)
    assert "Snapshot 2 was refused, the one before it goes on to answer: digest &lt;x&gt;" in said
    assert "no network" in said
    assert "No lookup is answered now" in said
