"""Fixtures that the tests of the pipelines share."""

from pathlib import Path

import pytest

from tests.nights import Nights, make_nights


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """An empty store, and archives beside it that are encoded in milliseconds."""
    return make_nights(tmp_path, monkeypatch)
