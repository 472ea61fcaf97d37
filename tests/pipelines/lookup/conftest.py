"""The desk that looks photos up."""

from pathlib import Path

import pytest

from tests.nights import make_nights
from tests.pipelines.lookup.desk import Desk
from tests.pipelines.lookup.made_batch import make_batch


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Three nights, indexed."""
    nights = make_nights(tmp_path, monkeypatch)
    for number in range(3):
        nights.put(f"{number}.jpg", number)
        nights.night()
    return Desk(tmp_path, nights, make_batch(monkeypatch))
