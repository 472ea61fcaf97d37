"""POST /v1/lookup: forms and JSON in, the contract out, errors as problem details."""

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from foundation.store.files import Store
from serving.http.lookup_requests import MOST_DIMENSIONS, LookupOptions, LookupRequest, parse_request
from serving.http.options import ServeOptions
from serving.http.service import make_app
from tests.photos import jpeg, scene
from tests.serving.http.clients import AppClient
from tests.serving.http.fake_engine import FakeLive

PHOTO = jpeg(scene(1))


@pytest.fixture
def live() -> FakeLive:
    """A searcher that answers at once."""
    return FakeLive()


@pytest.fixture
def client(live: FakeLive, tmp_path: Path) -> AppClient:
    """A client of an app around it."""
    return AppClient(make_app(live, ServeOptions(max_body_bytes=200_000, max_images=3), store=Store(tmp_path)))


def test_uploaded_photos_are_answered_in_their_order(client: AppClient):
    """Each under the name of its file, one that is no photo inside the 200."""
    files = [("image", ("a.jpg", PHOTO)), ("image", ("b.txt", b"text"))]
    response = client.post("/v1/lookup", files=files, data={"top_k": "3"})
    assert response.status_code == 200
    answer = response.json()
    assert (answer["snapshot"], answer["encoder"]) == (7, "photo-v1")
    assert answer["request_id"] == response.headers["X-Request-ID"]
    assert response.headers["X-Firstseen-Snapshot"] == "7"
    found = [(one["id"], one["answers"][0]["query"], one["answers"][0]["status"]) for one in answer["results"]]
    assert found == [("a.jpg", "a.jpg", "no_match"), ("b.txt", "b.txt", "rejected")]


def test_queries_in_json_are_answered_under_their_ids(client: AppClient, live: FakeLive):
    """Photos in base64; the options reach the matcher."""
    queries = [{"id": "one", "image": {"b64": base64.b64encode(PHOTO).decode()}}, {"id": "two", "image": {"b64": "?"}}]
    response = client.post("/v1/lookup", json={"queries": queries, "top_k": 5, "claimed_date": "2024-05-01"})
    assert response.status_code == 200
    assert [one["id"] for one in response.json()["results"]] == ["one", "two"]
    assert response.json()["results"][1]["answers"][0]["reason"].startswith("not_base64")
    (_, options), *_ = live.held.asked
    assert (options.top_k, options.claimed_date.year) == (5, 2024)


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "media_type"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422, "invalid"),
        ({"json": {"queries": []}}, 422, "invalid"),
        ({"json": {"queries": [{"id": "a"}]}}, 422, "invalid"),
        ({"json": {"queries": [{"id": "a", "image": {"b64": "", "uri": ""}}]}}, 422, "invalid"),
        ({"json": {"queries": [{"id": "a", "image": {"b64": ""}}] * 4}}, 413, "too_many_images"),
        ({"json": {"queries": [{"id": "a", "image": {"b64": ""}}], "top_k": 0}}, 422, "invalid"),
        ({"json": {"queries": [{"id": "a", "image": {"b64": ""}}], "snapshot": 8}}, 404, "not_found"),
        ({"json": {"queries": [{"id": "a", "image": {"b64": ""}}], "claimed_date": "May"}}, 422, "invalid"),
        ({"content": b"x" * 200_001, "headers": {"Content-Type": "application/json"}}, 413, "body_too_large"),
        ({"files": [("photo", ("a.jpg", PHOTO))]}, 422, "no_image"),
        (
            {"content": b"--a\r\nbroken", "headers": {"Content-Type": "multipart/form-data; boundary=a"}},
            400,
            "multipart",
        ),
        ({"content": b"", "headers": {"Content-Type": "multipart/form-data"}}, 400, "multipart"),
    ],
)
def test_what_cannot_be_read_is_a_problem(client: AppClient, request_: dict, status: int, reason: str):
    """Each with its status, a reason in one word, and a sentence."""
    response = client.post("/v1/lookup", **request_)
    problem = response.json()
    assert (response.status_code, problem["status"], problem["reason"]) == (status, status, reason)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert problem["detail"]


def test_a_wrong_body_costs_no_more_than_its_first_error():
    """Millions of errors would be gathered while nobody else is answered."""
    queries = [{"id": "a", "embedding": [""] * 1_000}] * 3
    with pytest.raises(ValidationError) as caught:
        LookupRequest.model_validate({"queries": queries})
    assert caught.value.error_count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {"queries": [{"id": "a", "embedding": [0] * 4 * 10_000}]},
        {"queries": [], **{f"name{number}": 1 for number in range(4_000)}},
    ],
)
def test_json_of_more_parts_than_queries_have_is_refused_unread(client: AppClient, body: dict):
    """Building millions of numbers takes the memory of the whole service, before anything could be checked."""
    response = client.post("/v1/lookup", json=body)
    assert (response.status_code, response.json()["reason"]) == (413, "too_many_parts")


def test_what_is_asked_of_all_queries_keeps_none_of_them():
    """The texts of photos, a third larger than these, would stay in memory until the answer."""
    body = b'{"queries": [{"id": "a", "embedding": [' + b"0.5," * (MOST_DIMENSIONS - 1) + b'1]}], "top_k": 3}'
    options = parse_request(body, most_queries=1).options()
    assert (type(options), options.top_k) == (LookupOptions, 3)


def test_the_service_lives_and_is_ready_until_it_drains(client: AppClient, live: FakeLive):
    """A draining service is alive, and asks not to be sent anything more."""
    assert [client.get(path).status_code for path in ("/livez", "/readyz")] == [200, 200]
    live.drain()
    assert [client.get(path).status_code for path in ("/livez", "/readyz")] == [200, 503]
    assert client.get("/readyz").headers["Retry-After"] == "2"
