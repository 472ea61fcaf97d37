"""Fixtures of the tests that ask a server."""

from collections.abc import Iterator

import pytest

from serving.remote.address import KEY_VARIABLE
from tests.serving.remote.stub import Stub, running


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """A server that speaks the contract, and misbehaves when it is told how."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with running() as server:
        yield server
