"""What went wrong: a page for who looks at it in a browser, problem details for programs; the same headers."""

from pathlib import Path

import pytest

from foundation.store.files import Store
from serving.http.edge import Edge
from serving.http.error_answers import prefers_page
from serving.http.keys import add_key
from serving.http.metrics import Metrics
from serving.http.options import ServeOptions
from serving.http.service import make_app
from serving.http.starting import Doorway
from serving.live.errors import Closed
from tests.serving.http.clients import AppClient
from tests.serving.http.fake_engine import FakeLive

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}


@pytest.fixture
def client(tmp_path: Path) -> AppClient:
    """A client of an app that answers this machine."""
    return AppClient(make_app(FakeLive(), ServeOptions(max_body_bytes=1_024), store=Store(tmp_path)))


@pytest.fixture
def keyed(tmp_path: Path) -> tuple[AppClient, str]:
    """A client of an app with keys, and a key that may ask twice a minute."""
    secret = add_key(tmp_path / "keys.json", "desk", roles=["search"], requests_per_minute=2)
    options = ServeOptions(host="0.0.0.0", keys=tmp_path / "keys.json")  # noqa: S104
    return AppClient(make_app(FakeLive(), options, store=Store(tmp_path)), base_url="http://photos.example"), secret


def shown(client: AppClient, method: str, path: str, status: int, **arguments) -> str:
    """Returns the page that a browser is shown, once it is seen that a program gets the same as a problem."""
    headers = arguments.pop("headers", {})
    response = client.request(method, path, headers=BROWSER | {"X-Request-ID": "mine"} | headers, **arguments)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert 'href="/"' in response.text
    assert "Request mine" in response.text
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert (response.headers["X-Content-Type-Options"], response.headers["X-Request-ID"]) == ("nosniff", "mine")
    told = client.request(method, path, headers=headers, **arguments)
    assert (told.status_code, told.headers["Content-Type"]) == (status, "application/problem+json")
    for name in ("WWW-Authenticate", "Retry-After", "Allow"):
        assert told.headers.get_list(name) == response.headers.get_list(name)
    return response.text


def test_an_unknown_address_is_a_page_in_a_browser(client: AppClient):
    """What it says is not run, whatever was asked for."""
    assert "There is nothing here" in shown(client, "GET", "/nothing/at/all", 404)
    assert "<script>" not in shown(client, "GET", "/<script>alert(1)</script>", 404)


def test_other_errors_are_pages_in_a_browser(client: AppClient):
    """A wrong method, a wrong host, too large a body: those of routes, and what is refused before them."""
    assert "expected another method: POST" in shown(client, "GET", "/v1/lookup", 405)
    assert "rebound.example" in shown(client, "GET", "/", 403, headers={"Host": "rebound.example"})
    form = {"Content-Type": "multipart/form-data; boundary=a"}
    assert "too much at once" in shown(client, "POST", "/v1/lookup", 413, content=b"x" * 2_000, headers=form)


def test_a_browser_without_a_key_is_told_to_bring_one(keyed: tuple[AppClient, str]):
    """It shows the page to who closes the question for the key; the page's style needs none, all else does."""
    client, secret = keyed
    assert "key" in shown(client, "GET", "/", 401)
    assert client.get("/assets/style.css").status_code == 200
    assert client.get("/assets/lookup.js").status_code == 401
    headers = {"Authorization": f"Bearer {secret}"}
    assert "role admin" in shown(client, "GET", "/metrics", 403, headers=headers)


def test_who_asks_too_often_is_told_so_on_a_page(keyed: tuple[AppClient, str]):
    """With the time to wait."""
    client, secret = keyed
    headers = {"Authorization": f"Bearer {secret}"}
    assert [client.post("/v1/lookup", headers=headers).status_code for _ in range(2)] == [415, 415]
    assert "Too many questions" in shown(client, "POST", "/v1/lookup", 429, headers=headers)


def test_a_service_that_starts_or_ends_says_so_on_a_page(tmp_path: Path):
    """Also before there is an app at all: its style is there, and the headers."""
    doorway = AppClient(Doorway())
    assert "The service is starting" in shown(doorway, "GET", "/", 503)
    assert doorway.get("/assets/style.css").headers["Content-Type"].startswith("text/css")
    assert doorway.get("/livez").headers["X-Content-Type-Options"] == "nosniff"

    async def closed(scope, receive, send):
        raise Closed

    assert "The service is ending" in shown(AppClient(Edge(closed, metrics=Metrics(), log=_silent)), "GET", "/", 503)


def test_what_nobody_foresaw_is_a_page_without_its_reason():
    """The number of the request is what somebody can tell."""

    async def broken(scope, receive, send):
        raise ValueError("the password is 1234")

    told = shown(AppClient(Edge(broken, metrics=Metrics(), log=_silent)), "GET", "/", 500)
    assert "Something failed here" in told
    assert "1234" not in told


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (BROWSER["Accept"], True),
        ("text/html", True),
        ("text/html;q=0.9, application/json;q=0.1", True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/problem+json, text/html;q=0.5", False),
        ("text/html;q=x", False),
        ("image/avif,image/webp,*/*;q=0.8", False),
    ],
)
def test_a_page_is_for_who_asks_for_pages(accept: str, is_page: bool):
    """Programs, scripts of pages and pictures do not."""
    assert prefers_page(accept) == is_page


def _silent(*_: object) -> None:
    """Logs nothing."""
