"""What reads the store for requests: bounded, dropped when nobody waits, and silent about what is damaged."""

import asyncio
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from foundation.errors import ArtifactRefusedError, TemporaryError
from foundation.store.files import Store
from serving.http import readers as readers_module
from serving.http import thumbnails
from serving.http.options import ServeOptions
from serving.http.problems import Problem
from serving.http.readers import Readers
from serving.http.service import make_app
from serving.live.state import Reloaded
from tests.serving.http.clients import AppClient
from tests.serving.http.fake_engine import FakeLive


def test_no_more_wait_for_the_store_than_are_answered_soon(monkeypatch: pytest.MonkeyPatch):
    """The next is told to come back; one that nobody waits for any more is never begun."""
    monkeypatch.setattr(readers_module, "MOST_READINGS", 3)
    monkeypatch.setattr(readers_module, "READ_THREADS", 1)
    going, called = Event(), []

    def read(name: str) -> str:
        called.append(name)
        assert going.wait(10)
        return name

    async def ask() -> None:
        readers = Readers()
        first, second, third = (asyncio.ensure_future(readers.call(read, name)) for name in "abc")
        await asyncio.sleep(0.1)
        with pytest.raises(Problem) as caught:
            await readers.call(read, "d")
        assert (caught.value.status, caught.value.reason) == (503, "busy")
        second.cancel()
        await asyncio.sleep(0)
        going.set()
        assert [await first, await third, await readers.call(read, "e")] == ["a", "c", "e"]

    asyncio.run(ask())
    assert called == ["a", "c", "e"]


def test_a_reload_that_takes_long_goes_on_without_who_asked(tmp_path: Path):
    """Others may wait for it, and a large snapshot takes longer than a request has."""
    live, look = FakeLive(), Future()
    live.reload = lambda: look  # type: ignore[attr-defined]
    client = AppClient(make_app(live, ServeOptions(request_seconds=1), store=Store(tmp_path)))
    response = client.post("/v1/admin/reload")
    assert (response.status_code, response.json()["reason"]) == (503, "deadline")
    assert not look.cancelled()
    look.set_result(Reloaded(before=1, live=2, refused={}, problem=None))
    assert client.post("/v1/admin/reload").json()["live"] == 2


@pytest.mark.parametrize("path", ["/v1/snapshot", "/v1/photos/a", f"/v1/thumbnails/{'0' * 64}"])
def test_why_a_snapshot_was_refused_is_nothing_for_who_asks(tmp_path: Path, path: str):
    """It is not there for them, as one that is gone; the reason names places of this machine."""

    class Refusing(FakeLive):
        @contextmanager
        def hold(self, number=None):
            raise ArtifactRefusedError("/secret/place is damaged")
            yield

    client = AppClient(make_app(Refusing(), ServeOptions(), store=Store(tmp_path)))
    response = client.get(path, params={"snapshot": 3})
    assert (response.status_code, response.json()["reason"]) == (404, "not_found")
    assert "secret" not in response.text


def test_damage_of_the_store_is_told_in_the_log_alone(tmp_path: Path):
    """The service is to blame, and not for good: 503."""

    class Damaged(FakeLive):
        def state(self):
            raise ArtifactRefusedError("/secret/place is damaged")

    log: list = []
    live = FakeLive()
    app = make_app(live, ServeOptions(), store=Store(tmp_path), log=lambda *told: log.append(told))
    live.state = Damaged().state  # type: ignore[method-assign]
    response = AppClient(app).get("/v1/snapshot")
    assert (response.status_code, response.json()["reason"]) == (503, "refused")
    assert "secret" not in response.text
    assert "/secret/place" in log[0][2]["traceback"]


def test_a_bucket_that_does_not_answer_is_not_a_photo_that_is_gone(monkeypatch: pytest.MonkeyPatch):
    """Whoever asks for the thumbnail shall come back."""

    def silent(_: str) -> bytes:
        raise TemporaryError("no answer")

    class Decoders:
        def call(self, function):
            return function()

    @contextmanager
    def decoders():
        yield Decoders()

    monkeypatch.setattr(thumbnails, "shared_decoders", decoders)
    monkeypatch.setattr(thumbnails, "read", silent)
    with pytest.raises(TemporaryError):
        thumbnails._from_archive("gs://bucket/a.jpg")
