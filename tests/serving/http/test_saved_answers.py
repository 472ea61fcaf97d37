"""Files that somebody saves from the page: what is chosen of a lookup, and a row for each query in any case."""

import csv
import io
import re
from collections.abc import Iterator

import pytest

from tests.conftest import Desk
from tests.serving.http.paging import Page, page_of


@pytest.fixture(scope="module")
def page(live_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A service of a store of its own."""
    with page_of(live_desk, tmp_path_factory.mktemp("page")) as made:
        yield made


def test_a_spreadsheet_has_copies_alone(page: Page):
    """Sorted by date, what is only similar would be taken for the first; without a copy a row says so."""
    address = page.look_up("photo-001", "photo-002").partition("?")[0]
    rows = page.client.get(f"{address}/answers.csv").text
    assert rows.startswith('\ufeff"query",')
    listed = list(csv.DictReader(io.StringIO(rows.removeprefix("\ufeff"))))
    assert {row["query"] for row in listed} == {"photo-001-asked.jpg", "photo-002-asked.jpg"}
    assert {row["verdict"] for row in listed} & {"similar", "same_scene"} == set()
    whole = page.client.get(f"{address}/answers.json").json()
    assert len(whole) > len(listed)


def test_files_have_what_is_chosen(page: Page):
    """As the link that they are saved from: a query whose matches are left out says so, and is not said to be new."""
    base = page.look_up("photo-001", "photo-002").partition("?")[0]
    asked = {"since": "2011-01-01", "until": "2011-12-31"}
    html = page.client.get(base, params=asked).text
    links = re.findall(rf'href="({base}/answers\.[a-z]+\?[^"]*)"', html)
    csv_file, json_file = (page.client.get(link.replace("&amp;", "&")) for link in links)
    assert "-chosen.csv" in csv_file.headers["Content-Disposition"]
    first, second = csv.DictReader(io.StringIO(csv_file.text.removeprefix("\ufeff")))
    assert (first["status"], first["published_at"][:4], first["reason"]) == ("matched", "2011", "")
    assert (second["status"], second["rank"], second["reason"][:9]) == ("matched", "", "left out:")
    assert {one["published_at"] and one["published_at"][:4] for one in json_file.json()} == {"2011"}
    nothing = page.client.get(f"{base}/answers.json", params={"words": "no caption has this"}).json()
    assert [(row["rank"], row["reason"][:9]) for row in nothing] == [(None, "left out:")] * 2
