"""Where nobody knows what was withdrawn lately nothing is shown: no answers, no photos, no results that are kept."""

import base64

import pytest

from foundation.store.files import Store
from serving.http.options import ServeOptions
from serving.http.service import make_app
from serving.live.live_searcher import LiveSearcher
from serving.live.options import LiveOptions
from tests.conftest import Desk
from tests.serving.http.clients import AppClient

NAME = "2019/photo-001.jpg"


def test_nothing_is_shown_by_lists_that_are_too_old(live_desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """Every address says when to ask again, and shows it once the lists were read."""
    data = (live_desk.archive / NAME).read_bytes()
    with LiveSearcher.open(str(live_desk.store), LiveOptions(canaries=0)) as live:
        client = AppClient(make_app(live, ServeOptions(), store=Store(live_desk.store)))
        result = client.post("/lookups", files=[("image", ("a.jpg", data))]).headers["Location"].partition("?")[0]
        shown = [f"/v1/photos/{NAME}", client.get(f"/v1/photos/{NAME}").json()["thumbnail"]]
        shown += [result, f"{result}/1.jpg", f"{result}/1-1.jpg", f"{result}/answers.json"]
        shown += [f"/v1/evidence/{result.rpartition('/')[2]}/1-1.json"]
        assert {client.get(path).status_code for path in shown} == {200}
        with monkeypatch.context() as patch:
            patch.setattr("serving.live.loaded.OLDEST_LISTS_SECONDS", -1.0)
            query = {"queries": [{"id": "a", "image": {"b64": base64.b64encode(data).decode()}}]}
            refused = [client.post("/v1/lookup", json=query), *map(client.get, shown)]
            assert {one.status_code for one in refused} == {503}
            assert all(int(one.headers["Retry-After"]) >= 1 for one in refused)
        assert {client.get(path).status_code for path in shown} == {200}
