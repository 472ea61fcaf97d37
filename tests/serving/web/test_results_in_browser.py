"""Results in a browser: many photos at once, what is chosen of them, further photos, and paper."""

import re
import shutil
from pathlib import Path

import pytest

from tests.serving.web.conftest import NewsDesk
from tests.serving.web.test_page_in_browser import FIRST, hand_in, is_focused, looked_up


def fits(page) -> bool:
    """Returns whether nothing is wider than the screen."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_many_photos_are_seen_at_a_glance(new_page, desk: NewsDesk, tmp_path: Path):
    """On a phone: a table that fits, whose rows lead to the photos, and from there back."""
    (tmp_path / "torn.jpg").write_bytes(desk.query("rotate").read_bytes()[:900])
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.set_input_files("#photos", [*map(desk.query, ("crop", "unseen", "mirror")), tmp_path / "torn.jpg"])
    looked_up(page)
    assert fits(page)
    assert [one.inner_text() for one in page.get_by_role("columnheader").all()] == [
        "Photo",
        "Result",
        "First seen",
        "Score",
    ]
    rows = page.get_by_role("table", name="What each photo came to").get_by_role("row")
    assert rows.count() == 5
    assert re.search(r"mirrored.*\d{1,2} \w+ 20\d\d.*0\.9\d\d", rows.nth(3).inner_text(), re.DOTALL)
    assert "This file ends too early" in rows.nth(4).inner_text()
    page.get_by_role("link", name="mirror-of-camera.jpg").tap()
    article = page.locator("#query-3")
    assert abs(article.bounding_box()["y"]) < 40
    article.get_by_role("link", name="Back to all 4 photos").tap()
    assert abs(page.locator("#overview").bounding_box()["y"]) < 200


def test_names_are_those_of_the_files(new_page, desk: NewsDesk, tmp_path: Path):
    """Quotes, percent signs, umlauts; a very long one makes nothing wider than the screen."""
    names = ['He said "no" 50%.jpg', "Überschwemmung in Köln – Straße.jpg", f"{'x' * 240}.jpg"]
    for name in names:
        shutil.copy(desk.query("reencode"), tmp_path / name)
    page = new_page(viewport={"width": 390, "height": 844}, is_mobile=True)
    page.set_input_files("#photos", [tmp_path / name for name in names])
    looked_up(page)
    assert [one.inner_text() for one in page.locator("article .name").all()] == names
    assert fits(page)
    assert page.locator(".overview tr").last.bounding_box()["height"] < 160


def test_everything_is_shown_again(new_page, desk: NewsDesk):
    """By a link where something is left out; the address, the files and the fields go with it."""
    page = new_page()
    page.set_input_files("#photos", [desk.query("resize-of-rocket"), desk.query("crop")])
    looked_up(page)
    assert page.get_by_role("link", name="Show all").count() == 0
    page.get_by_label("Published from").fill("2029-01-01")
    note = page.locator(".left-out")
    note.filter(has_text="published from 1 January 2029").wait_for()
    assert re.match(r"0 of \d+ matches are shown", note.inner_text())
    assert re.search(r"0 of \d+ matches shown", page.locator(".overview tr").nth(1).inner_text())
    assert page.get_by_label("Link to this result").input_value().endswith("&since=2029-01-01")
    for kind in ("CSV", "JSON"):
        link = page.get_by_role("link", name=kind, exact=True)
        assert link.get_attribute("href").endswith("?since=2029-01-01")
    page.get_by_role("link", name="Show all matches").click()
    page.get_by_role("status").filter(has_text="All matches are shown.").wait_for()
    assert note.count() == page.get_by_role("link", name="Show all").count() == 0
    assert page.get_by_label("Published from").input_value() == ""
    assert "since" not in page.url
    # The link that had the focus is gone: the keyboard goes on at the heading.
    assert is_focused(page, "#found")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_further_photos_are_looked_up_from_a_result(new_page, desk: NewsDesk, kind: str):
    """With the same feedback, and the date that is claimed there; what is no photo is told."""
    page = new_page()
    page.set_input_files("#photos", desk.query("unseen"))
    looked_up(page)
    first = page.url
    page.get_by_label("Claimed date").fill("2030-01-01")
    page.locator(".claimed").wait_for()
    hand_in(page, kind)
    page.get_by_role("alert").filter(has_text="no photo" if kind == "paste" else "no file").wait_for()
    page.route("**/lookups", lambda route: None)
    hand_in(page, kind, desk.query("crop"))
    page.get_by_role("status").filter(has_text="Sending 1 photo …").wait_for()
    assert page.get_by_role("alert").inner_text() == ""
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("status").filter(has_text="Cancelled.").wait_for()
    assert is_focused(page, "#found")
    page.unroute("**/lookups")
    hand_in(page, kind, desk.query("crop"))
    page.wait_for_url(lambda url: "/lookups/" in url and url.partition("?")[0] != first.partition("?")[0])
    assert FIRST.search(page.locator("h1").inner_text())
    assert page.locator(".claimed").inner_text() == "Claimed date: 1 January 2030"


def test_a_failed_lookup_from_a_result_is_tried_again(new_page, desk: NewsDesk):
    """The result stays, and a button appears that has the focus."""
    page = new_page()
    page.set_input_files("#photos", desk.query("unseen"))
    looked_up(page)
    page.route("**/lookups", lambda route: route.abort())
    hand_in(page, "drop", desk.query("crop"))
    page.get_by_role("alert").filter(has_text="The service cannot be reached").wait_for()
    assert page.get_by_role("heading", name="Not in this archive").is_visible()
    page.unroute("**/lookups")
    page.get_by_role("button", name="Try again").and_(page.locator(":focus")).click()
    page.get_by_role("heading", name="Seen before").wait_for()
    new_page.errors.clear()  # the browser logs the lost connection


def test_a_picture_of_the_page_is_no_query(new_page, desk: NewsDesk):
    """Whoever moves one about by mistake does not lose the result."""
    page = new_page()
    page.set_input_files("#photos", desk.query("crop"))
    looked_up(page)
    page.evaluate("document.querySelector('.asked img').dispatchEvent(new DragEvent('dragstart', { bubbles: true }))")
    hand_in(page, "drop", desk.query("unseen"))
    assert page.locator("#working").is_hidden()


def test_a_claimed_date_is_kept_for_the_next_photo(new_page, desk: NewsDesk):
    """It stands on the result, and in the form on the way to another photo, and on the way back."""
    page = new_page()
    page.get_by_label("Claimed date").fill("2030-01-01")
    page.set_input_files("#photos", desk.query("unseen"))
    looked_up(page)
    assert page.locator(".claimed").inner_text() == "Claimed date: 1 January 2030"
    page.get_by_role("link", name="Look up another photo").click()
    assert page.get_by_label("Claimed date").input_value() == "2030-01-01"
    page.go_back()
    page.get_by_role("link", name="Look up", exact=True).click()
    assert page.get_by_label("Claimed date").input_value() == "2030-01-01"
    page.go_back()
    page.go_back()
    page.get_by_role("heading", name="Have we seen this photo before?").wait_for()
    assert page.get_by_label("Claimed date").input_value() == "2030-01-01"
    # Over https browsers forget what was typed into a page that must not be stored.
    assert page.url.endswith("/?claimed_date=2030-01-01")


def test_large_batches_are_said_to_be_on_their_way(new_page, desk: NewsDesk, slow_url: str):
    """For how long they are looked up, every ten seconds aloud; of many photos the first are shown."""
    page = new_page(slow_url)
    page.clock.install()
    page.reload()
    page.set_input_files("#photos", [desk.query("reencode"), desk.query("crop")])
    said = page.get_by_role("status")
    said.filter(has_text="Looking up 2 photos …").wait_for()
    page.clock.run_for(12_000)
    said.filter(has_text="Still looking up 2 photos, for 10 s now.").wait_for()
    assert page.locator("#amount").inner_text() == "12 s"
    assert page.evaluate("further(Array(30)).map((one) => one.textContent)") == ["and 18 more"]
    assert page.evaluate("further(Array(12))") == []
    page.get_by_role("button", name="Cancel").click()
    assert page.locator("#amount").text_content() == ""


def test_paper_has_what_is_open(new_page, desk: NewsDesk):
    """The comparison that is open over the whole width, not the closed one; places, snapshot, time and link."""
    page = new_page(viewport={"width": 800, "height": 400})
    queries = ("crop-of-motorcycle", "mirror", "resize", "reencode", "unseen")
    page.set_input_files("#photos", [*map(desk.query, queries)])
    looked_up(page)
    page.evaluate("window.print = () => (window.isPrinted = true)")
    page.locator("#query-1 .compare summary").click()
    page.get_by_role("button", name="Print").click()
    page.wait_for_function("window.isPrinted")
    # What is printed was loaded, wherever it is on the page.
    shown = page.locator("img").and_(page.locator(":visible")).all()
    assert len(shown) >= 10
    assert [one.get_attribute("src") for one in shown if not one.evaluate("(one) => one.naturalWidth")] == []
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    pictures = page.locator("#query-1 .laid figure")
    assert [one.bounding_box()["width"] > 0.4 * page.viewport_size["width"] for one in pictures.all()] == [True, True]
    assert page.locator("#query-2 .compare").is_hidden()
    assert page.get_by_role("slider").or_(page.get_by_role("button")).or_(page.get_by_role("textbox")).count() == 0
    assert page.locator(".overview").is_visible()
    assert page.locator("#query-1 .places li").first.is_visible()
    assert re.search(r"Looked up \d.* 20\d\d, \d\d:\d\d UTC · snapshot 1 of ", page.locator("main").inner_text())
    assert page.locator("#paper-link").inner_text() == page.get_by_label("Link to this result").input_value()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#query-1 .places[open]").count() == 0


@pytest.mark.parametrize("path", ["/", "/status"])
def test_a_phone_shows_the_other_pages_whole(new_page, path: str):
    """Nothing is wider than the screen, and each value of a table has its name beside it."""
    page = new_page(path, viewport={"width": 390, "height": 844}, is_mobile=True)
    assert fits(page)
    if path == "/status":
        cell = page.get_by_role("table", name="Rejected photos").get_by_role("cell").first
        assert cell.evaluate("(one) => getComputedStyle(one, '::before').content") == '"Reason"'
        assert page.evaluate("[...document.querySelectorAll('table')].every((one) => one.scrollWidth <= 370)")
