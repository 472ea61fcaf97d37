"""Addresses that are nearly those of the service: the answer names the right one, and leads nowhere by itself."""

from pathlib import Path

import pytest

from foundation.store.files import Store
from serving.http.options import ServeOptions
from serving.http.service import make_app
from tests.serving.http.clients import AppClient
from tests.serving.http.fake_engine import FakeLive


@pytest.fixture
def client(tmp_path: Path) -> AppClient:
    """A client of an app whose engine answers at once."""
    return AppClient(make_app(FakeLive(), ServeOptions(), store=Store(tmp_path)))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("/v1/lookup/", "POST /v1/lookup"),
        ("/v1/lookups", "POST /v1/lookup"),
        ("/lookup", "POST /v1/lookup"),
        ("/api/v1/lookup", "POST /v1/lookup"),
        ("/v1/photo/a/b.jpg", "GET /v1/photos/{photo_id}"),
        ("/v1/photos", "GET /v1/photos/{photo_id}"),
        ("/v1/thumbnail/abc", "GET /v1/thumbnails/{content_sha256}"),
        ("/health", "GET /livez"),
        ("/healthz", "GET /livez"),
        ("/ready", "GET /readyz"),
        ("/Status", "GET /status"),
        ("/v1/reload", "POST /v1/admin/reload"),
        ("/etc/passwd", "an address that GET /openapi.json lists"),
        ("/" + "a" * 60_000, "an address that GET /openapi.json lists"),
    ],
)
def test_a_near_miss_names_the_address_that_is_meant(client: AppClient, asked: str, expected: str):
    """Whatever the method; nobody is redirected, for a redirect may lose what was sent."""
    for method in ("GET", "POST"):
        response = client.request(method, asked)
        assert (response.status_code, response.json()["reason"]) == (404, "not_found")
        assert response.json()["detail"].endswith(f"; expected {expected}")
        assert len(response.text) < 1_000


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/v1/lookup", "POST"), ("POST", "/livez", "GET"), ("PUT", "/lookups", "POST")],
)
def test_a_wrong_method_names_the_right_one(client: AppClient, method: str, path: str, allowed: str):
    """In the sentence and in the header."""
    response = client.request(method, path)
    assert (response.status_code, response.headers["Allow"]) == (405, allowed)
    assert response.json()["reason"] == "method_not_allowed"
    assert response.json()["detail"].endswith(f"expected another method: {allowed}")
