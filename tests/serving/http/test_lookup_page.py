"""The page of a lookup: an overview of many photos, what is chosen of their matches, and a link that keeps it."""

import io
import re
from collections.abc import Iterator
from datetime import date

import pytest
from PIL import Image

from foundation.store.occurrences import Occurrence
from serving.http.held import HeldLookup, HeldPicture, HeldQuery
from serving.http.lookup_page import page_values
from serving.http.page_addresses import Seen
from serving.match.footprint import Size
from serving.match.match import Outcome
from serving.output.choice import Choice
from tests.builders import day, snapshot
from tests.conftest import Desk
from tests.evidence import made_match
from tests.serving.http.paging import Page, page_of
from tests.serving.http.test_still_shown import Lists


@pytest.fixture(scope="module")
def page(live_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A service of a store of its own."""
    with page_of(live_desk, tmp_path_factory.mktemp("page")) as made:
        yield made


def test_many_photos_have_an_overview(page: Page):
    """A row each, with a small picture, the verdict, the date and the score; a reject has its reason instead."""
    files = [("image", (f"{name}.jpg", page.photo(name))) for name in ("photo-001", "photo-002")]
    response = page.client.post("/lookups", files=[*files, ("image", ("web.jpg", b"<html>"))])
    html = page.client.get(response.headers["Location"].partition("#")[0]).text
    table = html[html.index('<table class="overview">') : html.index("</table>")]
    said = " ".join(re.sub(r"<[^>]*>", " ", table).split())
    assert "photo-001.jpg Seen before : identical 1 January 2011 1.000" in said
    assert "web.jpg Not looked up : This file is no photo that can be read. – –" in said
    assert table.count('scope="col"') == 4
    assert re.findall(r'<th scope="row"><a href="#query-(\d)"', table) == ["1", "2", "3"]
    small = [page.client.get(one) for one in re.findall(r'src="([^"]+)"', table)]
    assert [max(Image.open(io.BytesIO(one.content)).size) <= 160 for one in small] == [True, True]
    assert page.client.get(response.headers["Location"].partition("?")[0] + "/3-small.jpg").status_code == 404
    assert '<table class="overview">' not in page.client.get(page.look_up("photo-001")).text


def test_a_link_shows_what_its_sender_saw(page: Page):
    """The order and all filters are in it, and in those to evidence, which leads back to them."""
    address = page.look_up("photo-003", claimed_date="2030-01-01")
    asked = "&order=best&since=2000-01-01&until=2040-01-01&words=scene+3"
    html = page.client.get(address + asked).text
    whole = (address + asked).replace("&", "&amp;")
    assert f'id="link" readonly value="{whole}"' in html
    assert "published from 1 January 2000; published until 1 January 2040; words in the caption: scene 3" in html
    assert f'href="{address.replace("&", "&amp;")}&amp;order=best">Show all matches' in html
    evidence = re.findall(r'href="(/v1/evidence/[^"]+)"', html)[0].replace("&amp;", "&")
    assert f'href="{whole}"' in page.client.get(evidence).text
    assert page.client.get(evidence.replace(".html", ".json")).status_code == 200
    assert 'value="2030-01-01"' in page.client.get("/?claimed_date=2030-01-01").text


def test_a_choice_that_leaves_nothing_out_is_not_told(page: Page):
    """No note, and no link that would change nothing."""
    html = page.client.get(page.look_up("photo-003")).text
    assert "matches are shown" not in html
    assert re.search(r'id="show-all"[^>]* hidden>', html)


def seen_again() -> HeldLookup:
    """Returns a lookup of a photo that was published a second time, elsewhere and with other words."""
    match = made_match("ship", photo={"caption": "A ship", "source": "Desk"})
    again = {"source": "Wire <b>", "caption": "Once more"}
    places = [
        Occurrence("ship.jpg", "file:///ship.jpg", day(3), caption="A ship", source="Desk"),
        Occurrence("again.jpg", "file:///again.jpg", day(400), **again),
    ]
    query = HeldQuery(
        Outcome("q.jpg", "matched", matches=[match]),
        HeldPicture(b"", Size(96, 64), b""),
        {match.photo["content_sha256"]: places},
    )
    return HeldLookup(snapshot(7), [query])


@pytest.mark.parametrize(
    ("choice", "also"),
    [
        (Choice(source="Wire <b>", since=date(1971, 1, 1)), "also published 5 February 1971, Wire <b>, Once more"),
        (Choice(source="Desk"), ""),
        (Choice(), ""),
    ],
)
def test_a_match_tells_by_which_place_it_is_shown(choice: Choice, also: str):
    """If that is not the first one, whose date and caption stand on its card."""
    values = page_values(seen_again(), Seen("id", choice), Lists())
    (match,) = values["queries"][0]["copies"]
    assert (match["also"], match["caption"]) == (also, "A ship")
    assert (values["left"], values["total"]) == (1, 1)


def test_sources_are_those_of_all_places():
    """Of what is shown: a photo that was withdrawn names none."""
    assert page_values(seen_again(), Seen("id"), Lists())["sources"] == ["Desk", "Wire <b>"]
    assert page_values(seen_again(), Seen("id"), Lists("again.jpg"))["sources"] == []
