"""The page's routes: what they answer, to browsers and to programs, and what they never tell."""

import re
from collections.abc import Iterator

import pytest
from markupsafe import escape

from serving.http.options import ServeOptions
from serving.http.service import make_app
from tests.conftest import Desk
from tests.photos import jpeg, scene
from tests.serving.http.clients import AppClient
from tests.serving.http.paging import Page, page_of


@pytest.fixture(scope="module")
def page(live_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A service of a store of its own; one test alone takes a photo down in it, which no other asks for."""
    with page_of(live_desk, tmp_path_factory.mktemp("page")) as made:
        yield made


def test_a_photo_of_the_archive_is_found(page: Page):
    """Without JavaScript: the form leads to the result, which has the date, the caption, and both pictures."""
    address = page.look_up("photo-003", claimed_date="2030-01-01")
    assert address.endswith("?snapshot=1&claimed_date=2030-01-01")
    html = page.client.get(address).text
    assert "first published 1 January 2013" in html
    assert "The same file, byte for byte." in html
    assert "Contradicts the claimed date" in html
    assert "Scene 3" in html
    pictures = [page.client.get(one) for one in re.findall(r'src="(/[^"]+\.jpg|/v1/[^"]+)"', html)]
    assert len(pictures) >= 2
    assert {one.headers["Content-Type"] for one in pictures} == {"image/jpeg"}
    assert {one.content[:2] for one in pictures} == {b"\xff\xd8"}


def test_a_program_gets_the_address_of_the_result(page: Page):
    """The script of the page does: a redirect would be followed before it could tell that the upload is done."""
    files = [("image", ("a.jpg", page.photo("photo-001")))]
    response = page.client.post("/lookups", files=files, headers={"Accept": "application/json"})
    assert response.status_code == 201
    assert response.json()["location"] == response.headers["Location"]
    assert page.client.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize("path", ["/", "/status", "/lookups/none"])
def test_pages_are_kept_to_themselves(page: Page, path: str):
    """Nothing of another site is run, shown or told; neither caches nor other sites get the address of a lookup."""
    headers = page.client.get(path, headers={"Accept": "text/html"}).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    assert "frame-ancestors 'none'" in policy
    # A form of a page that tells no origin would be refused as a stranger's.
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_pages_have_no_script_of_their_own(page: Page):
    """The policy would not run it: scripts are files, and nothing of an element is one."""
    for path in ("/", "/status", page.look_up("photo-001")):
        html = page.client.get(path).text
        assert re.findall(r"<script(?! src=\"/assets/[a-z]+\.js\" defer></script>)", html) == []
        assert re.findall(r"\son[a-z]+=|javascript:|<style", html) == []


def test_the_icon_that_browsers_ask_for_is_no_error(page: Page):
    """Nobody finds an error of ours in the console."""
    assert page.client.get("/favicon.ico").status_code == 204


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        ({"files": [("image", ("", b""))]}, 422, "No photo was chosen"),
        (
            {"files": [("image", ("a.jpg", b"x"))], "data": {"claimed_date": "May"}},
            422,
            "claimed date is &#39;May&#39;",
        ),
        ({"files": [("image", ("a.jpg", b"x"))] * 4}, 413, "more than 3 queries"),
    ],
)
def test_what_cannot_be_looked_up_is_told(page: Page, request_: dict, status: int, said: str):
    """As a page to a browser, as a problem to a program."""
    response = page.client.post("/lookups", headers={"Accept": "text/html"}, **request_)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert said.lower() in response.text.lower()
    assert 'href="/"' in response.text
    response = page.client.post("/lookups", headers={"Accept": "application/json"}, **request_)
    assert (response.status_code, response.json()["status"]) == (status, status)


@pytest.mark.parametrize(
    "path",
    [
        "/lookups/none/answers.csv",
        "/lookups/none/1.jpg",
        "/lookups/none/1-1.jpg",
        "/v1/evidence/none/1-1.json",
        "/v1/evidence/none/1-1.html",
        "/assets/parts.html",
        "/assets/..%2fparts.html",
    ],
)
def test_what_is_not_there_is_not_found(page: Page, path: str):
    """Whether it never was, or is kept no more."""
    assert page.client.get(path).status_code == 404


def test_queries_and_ranks_of_others_are_not_found(page: Page):
    """Numbers beyond those of the lookup."""
    address = page.look_up("photo-001").partition("?")[0]
    found = [page.client.get(f"{address}/{one}.jpg").status_code for one in ("1", "1-1", "0", "2", "1-99")]
    assert found == [200, 200, 404, 404, 404]
    evidence = address.replace("/lookups/", "/v1/evidence/")
    assert [page.client.get(f"{evidence}/{one}.json").status_code for one in ("1-1", "2-1", "1-99")] == [200, 404, 404]
    assert page.client.get(f"{address}/answers.xml").status_code == 404


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("He said %22no%22.jpg", 'He said "no".jpg'),
        ("50% off %C3%A4.jpg", "50% off %C3%A4.jpg"),
        ("Überschwemmung – Köln.jpg", "Überschwemmung – Köln.jpg"),
        ("a%0D%0Ab.jpg", "a  b.jpg"),
    ],
)
def test_files_are_called_what_they_were(page: Page, sent: str, shown: str):
    """Browsers escape quotes and ends of lines in the names of files, and nothing else."""
    body = (
        f'--x\r\nContent-Disposition: form-data; name="image"; filename="{sent}"\r\nContent-Type: image/jpeg\r\n\r\n'
    ).encode() + page.photo("photo-001")
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = page.client.post("/lookups", content=body + b"\r\n--x--\r\n", headers=headers)
    html = page.client.get(response.headers["Location"].partition("#")[0]).text
    assert f'<div class="name" dir="auto">{escape(shown)}</div>' in html


def test_evidence_is_a_page_and_a_record(page: Page):
    """Both say the same, and the page leads back to the lookup."""
    address = page.look_up("photo-002")
    evidence = address.partition("?")[0].replace("/lookups/", "/v1/evidence/")
    record = page.client.get(f"{evidence}/1-1.json", params={"claimed_date": "2030-01-01"}).json()
    assert (record["verdict"], record["claim"], record["query"]["name"]) == (
        "identical",
        "contradicted",
        "photo-002-asked.jpg",
    )
    html = page.client.get(f"{evidence}/1-1.html").text
    assert "Seen before: first published 1 January 2012" in html
    assert f'href="{address}"' in html
    assert page.client.get(f"{evidence}/1-1.json", params={"claimed_date": "May"}).status_code == 422


def test_what_is_withdrawn_is_not_shown_any_more(page: Page):
    """Not on a page that is kept, in no file and no picture of it, and not as evidence."""
    address = page.look_up("photo-004")
    base = address.partition("?")[0]
    evidence = base.replace("/lookups/", "/v1/evidence/")
    assert "Scene 4" in page.client.get(address).text
    page.withdraw("photo-004")
    html = page.client.get(address).text
    assert "Scene 4" not in html
    assert "1 of its matches was withdrawn since" in html
    assert "Not in this archive" in html
    for kind in ("csv", "json"):
        assert "Scene 4" not in page.client.get(f"{base}/answers.{kind}").text
    assert page.client.get(f"{base}/1-1.jpg").status_code == 404
    assert page.client.get(f"{evidence}/1-1.html").status_code == 404
    assert page.client.get(f"{evidence}/1-1.json").status_code == 404


def test_what_is_withdrawn_while_its_evidence_is_gathered_is_not_shown(page: Page, monkeypatch: pytest.MonkeyPatch):
    """The archive is read for it, and may be slow."""
    evidence = page.look_up("photo-005").partition("?")[0].replace("/lookups/", "/v1/evidence/")
    withdrawn: list[str] = []

    def read(uri: str) -> bytes:
        if not withdrawn:
            withdrawn.append(uri)
            page.withdraw("photo-005")
        return page.photo("photo-005")

    monkeypatch.setattr("serving.http.evidence.read_archive", read)
    assert page.client.get(f"{evidence}/1-1.json").status_code == 404
    assert withdrawn


def test_names_of_strangers_are_text(page: Page):
    """In the heading, the title and the descriptions of pictures."""
    name = '"><script>alert(1)</script>\u202e.jpg'
    response = page.client.post("/lookups", files=[("image", (name, jpeg(scene(77))))])
    html = page.client.get(response.headers["Location"].partition("#")[0]).text
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "alert(1)" in html


@pytest.mark.parametrize("asked", ["order=worst", "since=May", "since=2020-01-02&until=2020-01-01", "claimed_date=x"])
def test_a_choice_that_is_none_is_told(page: Page, asked: str):
    """As a page."""
    address = page.look_up("photo-001").partition("?")[0]
    response = page.client.get(f"{address}?{asked}", headers={"Accept": "text/html"})
    assert (response.status_code, response.headers["Content-Type"]) == (422, "text/html; charset=utf-8")


def test_the_log_does_not_name_the_lookup(page: Page):
    """Whoever has its address may see it."""
    lines: list[dict] = []
    app = make_app(page.live, ServeOptions(), store=page.store, log=lambda event, level, fields: lines.append(fields))
    AppClient(app).get("/lookups/AAAAAAAAAAAAAAAAAAAAAA?snapshot=1")
    AppClient(app).get("/v1/evidence/AAAAAAAAAAAAAAAAAAAAAA/1-1.json")
    assert [one["path"] for one in lines] == ["/lookups/{lookup_id}", "/v1/evidence/{lookup_id}/{number}-{rank}.json"]
