"""What is told of photos by their names, thumbnails of them, the snapshot and the store; and what is not told."""

import base64
import hashlib
import io
import json
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from foundation.store.files import Store
from foundation.store.retractions import add_retraction
from serving.http.options import ServeOptions
from serving.http.service import make_app
from serving.live.live_searcher import LiveSearcher
from serving.live.options import LiveOptions
from serving.retract import photos_named
from tests.conftest import Desk
from tests.serving.http.clients import AppClient

NAME = "2019/photo-001.jpg"


@pytest.fixture(scope="module")
def live(live_desk: Desk) -> Iterator[LiveSearcher]:
    """The engine on the store that all tests share."""
    with LiveSearcher.open(str(live_desk.store)) as searcher:
        yield searcher


@pytest.fixture
def client(live: LiveSearcher, live_desk: Desk) -> AppClient:
    """A client of an app around it."""
    return AppClient(make_app(live, ServeOptions(), store=Store(live_desk.store)))


def test_a_photo_is_described_by_its_name(client: AppClient, live_desk: Desk):
    """With its date, its places and a link to its thumbnail."""
    response = client.get(f"/v1/photos/{NAME}")
    photo = response.json()
    data = (live_desk.archive / NAME).read_bytes()
    assert (response.status_code, response.headers["X-Firstseen-Snapshot"]) == (200, "1")
    assert photo["content_sha256"] == hashlib.sha256(data).hexdigest()
    assert (photo["photo_id"], photo["first_seen_at"], photo["width"]) == (NAME, "2011-01-01T00:00:00Z", 96)
    assert [one["caption"] for one in photo["occurrences"]] == ["Scene 1"]
    archive = photo["archive"]
    assert client.get(f"/v1/photos/{NAME}", params={"archive": archive}).json() == photo
    assert client.get(f"/v1/photos/{NAME}", params={"archive": "elsewhere"}).status_code == 404


def test_a_thumbnail_is_made_anew(client: AppClient):
    """A small JPEG without EXIF, that no other site may show."""
    link = client.get(f"/v1/photos/{NAME}").json()["thumbnail"]
    response = client.get(link)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(response.content)) as image:
        assert max(image.size) <= 256
        assert not image.getexif()
    assert b"Exif" not in response.content
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/v1/photos/gone.jpg",
            "/v1/photos/../../etc/passwd",
            "/v1/photos/%2e%2e/%2e%2e/etc/passwd",
            "/v1/photos//etc",
        ),
        *(
            "/v1/photos/2019%2f..%2f2019%2fphoto-001.jpg",
            "/v1/photos/%00",
            "/v1/photos/",
        ),
        *(f"/v1/thumbnails/{'0' * 64}", "/v1/nothing", "/etc/passwd", "/assets/../keys", "/v1/lookup/"),
    ],
)
def test_what_is_not_there_is_not_found(client: AppClient, path: str):
    """A name is compared with names: no part of it is a path on a disk."""
    response = client.get(path)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "root:" not in response.text


def test_a_snapshot_that_is_not_there_is_not_found(client: AppClient):
    """It may have been published just now: the answer is 503 until the store was looked at, and then 404."""
    while (response := client.get(f"/v1/photos/{NAME}?snapshot=9")).status_code == 503:
        assert response.json()["reason"] == "snapshot_not_loaded"
        time.sleep(0.1)
    assert response.status_code == 404


@pytest.mark.parametrize(
    "path", ["/v1/thumbnails/../../etc/passwd", "/v1/thumbnails/%2e%2e", f"/v1/thumbnails/{'G' * 64}"]
)
def test_what_is_no_digest_names_no_thumbnail(client: AppClient, path: str):
    """It is refused as it is."""
    assert client.get(path).status_code in (404, 422)


def test_a_photo_that_is_withdrawn_is_gone_from_everything(desk: Desk):
    """Its name, its thumbnail and lookups of its bytes: after a look at the lists, without a new snapshot."""
    data = (desk.archive / NAME).read_bytes()
    query = {"queries": [{"id": "a", "image": {"b64": base64.b64encode(data).decode()}}]}
    with LiveSearcher.open(str(desk.store), LiveOptions(canaries=0)) as searcher:
        client = AppClient(make_app(searcher, ServeOptions(), store=Store(desk.store)))
        thumbnail = client.get(f"/v1/photos/{NAME}").json()["thumbnail"]
        assert client.post("/v1/lookup", json=query).json()["results"][0]["answers"][0]["verdict"] == "identical"
        store = Store(desk.store)
        add_retraction(store, photos_named(store, [NAME]), why="test")
        assert client.post("/v1/admin/reload").json() == {"before": 1, "live": 1, "refused": {}, "problem": None}
        assert client.get(f"/v1/photos/{NAME}").status_code == 404
        assert client.get(thumbnail).status_code == 404
        answers = client.post("/v1/lookup", json=query).json()["results"][0]["answers"]
        assert NAME not in [one["photo_id"] for one in answers]


def test_a_thumbnail_comes_from_the_archive_where_the_index_keeps_none(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """Read and decoded in another process; without the archive there is none."""
    with LiveSearcher.open(str(desk.store), LiveOptions(canaries=0)) as searcher:
        client = AppClient(make_app(searcher, ServeOptions(), store=Store(desk.store)))
        thumbnail = client.get(f"/v1/photos/{NAME}").json()["thumbnail"]
        monkeypatch.setattr("serving.search.snapshot.OpenSnapshot.stored", lambda *_: None)
        response = client.get(thumbnail)
        assert (response.status_code, response.content[:2]) == (200, b"\xff\xd8")


def test_a_store_that_is_gone_is_no_photo_that_is_gone(desk: Desk):
    """What is in memory is told; for what is looked up in the store whoever asks shall come back."""
    with LiveSearcher.open(str(desk.store), LiveOptions(canaries=0)) as searcher:
        client = AppClient(make_app(searcher, ServeOptions(), store=Store(desk.store)))
        desk.store.rename(desk.store.with_name("unmounted"))
        assert client.get("/v1/snapshot").json()["photos"] == 10
        response = client.get(f"/v1/photos/{NAME}")
        assert (response.status_code, response.json()["reason"]) == (503, "temporary"), response.text
        assert str(desk.store) not in response.text


def test_the_snapshot_and_the_store_are_described(client: AppClient, live_desk: Desk):
    """As the command `status` does."""
    snapshot = client.get("/v1/snapshot").json()
    assert (snapshot["number"], snapshot["photos"], snapshot["loaded"]) == (1, 10, [1])
    assert [one["contents"] for one in snapshot["segments"]] == [10]
    status = client.get("/v1/status").json()
    assert (status["store"], status["snapshot"]["number"]) == (str(live_desk.store), 1)
    assert status["last_runs"][0]["accounting"]["embedded"] == 10
    json.dumps(status)


def test_metrics_tell_of_requests_queries_and_the_snapshot(client: AppClient, live_desk: Desk):
    """Under the names that dashboards use."""
    client.get("/v1/snapshot")
    client.get("/v1/photos/gone.jpg")
    text = client.get("/metrics").text
    assert 'firstseen_serve_requests_total{route="/v1/snapshot",status="200"} 1.0' in text
    assert 'firstseen_serve_requests_total{route="/v1/photos/{photo_id:path}",status="404"} 1.0' in text
    for name in ("ready 1.0", "snapshot_number 1.0", "snapshots_loaded 1.0", "queue_queries 0.0"):
        assert f"firstseen_serve_{name}\n" in text
    assert "firstseen_serve_snapshot_created_timestamp_seconds" in text
    assert "firstseen_serve_lists_age_seconds" in text
    assert "process_resident_memory_bytes" in text
