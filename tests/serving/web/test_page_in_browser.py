"""The page in a browser: a photo is dropped, and its verdict and date are read; whatever goes wrong is said."""

import base64
import json
import re
from pathlib import Path

import pytest

from tests.serving.web.conftest import NewsDesk

DATE = r"\d{1,2} (January|February|March|April|May|June|July|August|September|October|November|December) 20\d\d"
FIRST = re.compile(f"First published {DATE}", re.IGNORECASE)

DROP = """([names, contents]) => {
  const files = new DataTransfer();
  names.forEach((name, number) => {
    const bytes = Uint8Array.from(atob(contents[number]), (letter) => letter.charCodeAt(0));
    files.items.add(new File([bytes], name, { type: "image/jpeg" }));
  });
  KIND
}"""


def hand_in(page, kind: str, *photos: Path) -> None:
    """Drops photos onto the page, or pastes them."""
    event = {
        "drop": 'document.body.dispatchEvent(new DragEvent("drop", '
        "{ bubbles: true, cancelable: true, dataTransfer: files }));",
        "paste": 'document.body.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, clipboardData: files }));',
    }[kind]
    contents = [base64.b64encode(photo.read_bytes()).decode() for photo in photos]
    page.evaluate(DROP.replace("KIND", event), [[photo.name for photo in photos], contents])


def looked_up(page):
    """Waits for the result; pictures may still be on their way."""
    page.wait_for_url("**/lookups/*")
    return page


def is_focused(page, selector: str) -> bool:
    """Returns whether an element has the focus."""
    return page.evaluate("(selector) => document.activeElement?.matches(selector)", selector)


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_photo_gets_its_verdict_and_date(new_page, desk: NewsDesk, kind: str):
    """Whether it is dropped or pasted; the finding is the headline, and has the focus."""
    page = new_page()
    hand_in(page, kind, desk.query("crop-of-motorcycle"))
    looked_up(page)
    heading = page.get_by_role("heading", level=1)
    assert heading.text_content().startswith("Seen before: first published")
    assert FIRST.search(heading.inner_text())
    assert is_focused(page, "h1")
    assert "crop of" in page.locator(".finding").inner_text()
    assert "Seen before" in page.title()
    # Both photos are seen, each with the outline of what it shares with the other.
    assert page.locator(".asked polygon.over").count() == page.locator(".matches polygon.over").count() == 1
    page.wait_for_load_state("networkidle")
    for one in page.locator(".asked img, .one > .matches img").all():
        assert one.evaluate("(img) => img.complete && img.naturalWidth > 0")


def test_the_query_lies_over_the_photo(new_page, desk: NewsDesk):
    """Where there is room it is seen at once; the slider moves the edge, by the keyboard too, and both lie alike."""
    page = new_page(viewport={"width": 1280, "height": 900})
    hand_in(page, "drop", desk.query("crop-of-motorcycle"))
    looked_up(page)
    slider = page.get_by_role("slider", name="How much of the query is shown")
    slider.focus()
    page.keyboard.press("End")
    assert page.locator(".stack").evaluate("(one) => one.style.getPropertyValue('--split')") == "100%"
    boxes = [one.bounding_box() for one in page.locator(".stack img").all()]
    assert boxes[0] == boxes[1]
    assert {one.evaluate("(one) => getComputedStyle(one).padding") for one in page.locator(".stack img").all()} == {
        "0px"
    }
    page.get_by_role("link", name="Compare closely").click()
    page.get_by_role("heading", name="Facts").wait_for()
    assert page.get_by_role("link", name="All matches").get_attribute("href").endswith("?snapshot=1")


def test_two_photos_have_a_result_each(new_page, desk: NewsDesk):
    """In the order in which they were picked; one that the archive does not have is said to be missing."""
    page = new_page()
    page.set_input_files("#photos", [desk.query("mirror-of-camera"), desk.query("unseen")])
    looked_up(page)
    assert page.get_by_role("heading", level=1).inner_text() == "2 photos looked up"
    assert page.locator(".sum").inner_text() == "1 seen before, 1 not in this archive"
    first, second = page.get_by_role("article").all()
    assert FIRST.search(first.get_by_role("heading", level=2).inner_text())
    assert "Not in this archive" in second.get_by_role("heading", level=2).inner_text()
    assert is_focused(page, "h1")


def test_a_corrupt_file_is_told_beside_the_others(new_page, desk: NewsDesk, tmp_path: Path):
    """The photo beside it is answered; the reason is in words."""
    (tmp_path / "torn.jpg").write_bytes(desk.query("rotate").read_bytes()[:900])
    page = new_page()
    page.set_input_files("#photos", [tmp_path / "torn.jpg", desk.query("rotate")])
    looked_up(page)
    torn, sound = page.get_by_role("article").all()
    assert "Not looked up" in torn.inner_text()
    assert "This file ends too early: a part of the photo is missing." in torn.inner_text()
    assert FIRST.search(sound.inner_text())


def test_a_slow_service_is_said_to_work(new_page, desk: NewsDesk, slow_url: str):
    """What it does is announced; the lookup can be cancelled, and the next one takes the page over."""
    page = new_page(slow_url)
    page.clock.install()
    page.reload()
    page.set_input_files("#photos", desk.query("reencode"))
    said = page.get_by_role("status")
    said.filter(has_text="Looking up 1 photo …").wait_for()
    page.get_by_text("reencode-of-astronaut.jpg").wait_for()
    page.get_by_role("button", name="Cancel").click()
    said.filter(has_text="Cancelled").wait_for()
    assert page.locator("#working").is_hidden()
    page.set_input_files("#photos", desk.query("reencode"))
    said.filter(has_text="Looking up 1 photo …").wait_for()
    page.clock.fast_forward(10_000)
    said.filter(has_text="Still looking").wait_for()
    looked_up(page)
    assert FIRST.search(page.locator("h1").inner_text())


def test_a_busy_service_is_asked_again(new_page, desk: NewsDesk):
    """When it says, and without a word of the user."""
    page = new_page()
    problem = {"status": 503, "detail": "the queue is full", "reason": "busy"}
    asked = []

    def answer(route) -> None:
        asked.append(route.request)
        if len(asked) > 1:
            route.continue_()
        else:
            headers = {"Retry-After": "1", "Content-Type": "application/problem+json"}
            route.fulfill(status=503, headers=headers, body=json.dumps(problem))

    page.route("**/lookups", answer)
    page.set_input_files("#photos", desk.query("reencode"))
    page.get_by_role("status").filter(has_text="The service is busy: trying again in 1 s").wait_for()
    looked_up(page)
    assert len(asked) == 2
    new_page.errors.clear()  # the browser logs each 503


def test_a_service_that_is_gone_is_told(new_page, desk: NewsDesk):
    """In words, as an alert; the photo stays chosen, and the button that has the focus tries again."""
    page = new_page()
    page.route("**/lookups", lambda route: route.abort())
    page.set_input_files("#photos", desk.query("reencode"))
    alert = page.get_by_role("alert").filter(has_text="The service cannot be reached")
    alert.wait_for()
    assert is_focused(page, "button")
    page.unroute("**/lookups")
    page.keyboard.press("Enter")
    looked_up(page)
    new_page.errors.clear()  # the browser logs the lost connection


def test_too_many_photos_are_told_before_they_are_sent(new_page, desk: NewsDesk):
    """Nobody waits for an upload that will be refused."""
    page = new_page()
    page.set_input_files("#photos", [desk.query("reencode")] * 6)
    page.get_by_role("alert").filter(has_text="6 photos were chosen; choose at most 5 at a time").wait_for()


def test_what_is_no_file_is_told(new_page):
    """Text that is pasted, or a picture of another page whose address alone was dropped."""
    page = new_page()
    hand_in(page, "paste")
    page.get_by_role("alert").filter(has_text="The clipboard holds no photo").wait_for()
    hand_in(page, "drop")
    page.get_by_role("alert").filter(has_text="What was dropped is no file").wait_for()


def test_the_keyboard_alone_is_enough(new_page, desk: NewsDesk):
    """From the form to the comparison and the next photo, without a mouse."""
    page = new_page()
    # Without anybody who listens before the key is pressed, the choice would be left to a window.
    page.on("filechooser", lambda _: None)
    for _ in range(10):
        page.keyboard.press("Tab")
        if is_focused(page, "#photos"):
            break
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(desk.query("crop-of-motorcycle"))
    looked_up(page)
    assert is_focused(page, "h1")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("(document.activeElement.innerText || document.activeElement.name || '').trim()"))
        # What has the focus is seen to have it; parts of a date field have an outline of the browser's own.
        assert page.evaluate(
            "document.activeElement.type === 'date' || getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        )
        if seen[-1] == "Look up another photo":
            break
    assert [name for name in seen if name in ("Copy link", "Print", "CSV", "JSON")] == [
        "Copy link",
        "Print",
        "CSV",
        "JSON",
    ]
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Have we seen this photo before?").wait_for()


def test_a_phone_shows_verdict_and_date_first(new_page, desk: NewsDesk):
    """On 390 pixels, without scrolling, and nothing is wider than the screen."""
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.set_input_files("#photos", desk.query("embed-in-screenshot"))
    looked_up(page)
    box = page.locator("h1").bounding_box()
    assert box["y"] + box["height"] < 400
    assert page.locator(".asked img").bounding_box()["y"] < 700
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="Compare closely").first.tap()
    page.get_by_role("heading", name="Facts").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_link_is_shared(new_page, desk: NewsDesk):
    """Somebody else sees the same, and the link names the snapshot."""
    page = new_page()
    page.set_input_files("#photos", desk.query("crop-of-motorcycle"))
    looked_up(page)
    link = page.get_by_label("Link to this result").input_value()
    assert re.fullmatch(rf"{desk.url}/lookups/[\w-]{{22}}\?snapshot=1", link)
    other = new_page(link)
    assert other.get_by_role("heading", level=1).inner_text() == page.get_by_role("heading", level=1).inner_text()


def test_an_expired_link_says_what_to_do(new_page):
    """It leads back to the form."""
    page = new_page(f"/lookups/{'A' * 22}?snapshot=1")
    assert page.get_by_role("heading", level=1).inner_text() == "This result has expired"
    assert "not kept any more" in page.locator(".alarm").inner_text()
    page.get_by_role("link", name="Look the photo up again").click()
    page.get_by_role("heading", name="Have we seen this photo before?").wait_for()
    new_page.errors.clear()  # the browser logs the 404


def test_the_page_works_without_javascript(new_page, desk: NewsDesk):
    """The form is sent, the result is shown and filtered, and its evidence is a link away."""
    page = new_page(java_script_enabled=False)
    page.set_input_files("#photos", desk.query("crop-of-motorcycle"))
    page.get_by_label("Claimed date").fill("2030-01-01")
    page.get_by_role("button", name="Look up").click()
    page.wait_for_url("**/lookups/*")
    assert FIRST.search(page.locator("h1").inner_text())
    assert page.get_by_text("Contradicts the claimed date").count()
    assert page.get_by_role("button", name="Copy link").count() == 0
    page.get_by_label("Words in the caption").fill("nothing has this caption")
    page.get_by_role("button", name="Show").click()
    assert re.search(r"0 of \d+ matches are shown", page.locator(".left-out").inner_text())
    page.get_by_role("link", name="Show all matches").click()
    page.get_by_role("link", name="Compare closely").first.click()
    page.get_by_role("heading", name="Laid over each other").wait_for()


def test_matches_are_chosen_in_place(new_page, desk: NewsDesk):
    """A claimed date is judged without a new lookup; what filters leave out is counted; the address keeps it."""
    page = new_page()
    page.set_input_files("#photos", desk.query("resize-of-rocket"))
    looked_up(page)
    assert page.get_by_text("Contradicts the claimed date").count() == 0
    page.get_by_label("Claimed date").fill("2030-01-01")
    page.get_by_text("Contradicts the claimed date").wait_for()
    assert page.get_by_text("Claimed date: 1 January 2030").is_visible()
    assert page.get_by_label("Link to this result").input_value().endswith("&claimed_date=2030-01-01")
    csv = page.get_by_role("link", name="CSV", exact=True)
    assert csv.get_attribute("href").endswith("answers.csv?claimed_date=2030-01-01")
    page.get_by_label("Published from").fill("2029-01-01")
    page.get_by_role("status").filter(has_text=re.compile(r"0 of \d+ matches are shown")).wait_for()
    assert "since=2029-01-01" in page.url
    page.reload()
    assert page.get_by_label("Published from").input_value() == "2029-01-01"


def test_the_answers_are_saved(new_page, desk: NewsDesk):
    """As CSV and as JSON, in the columns of the contract."""
    page = new_page()
    page.set_input_files("#photos", desk.query("reencode"))
    looked_up(page)
    for kind in ("CSV", "JSON"):
        with page.expect_download() as download:
            page.get_by_role("link", name=kind, exact=True).click()
        text = Path(download.value.path()).read_text()
        assert re.fullmatch(rf"firstseen-\d{{4}}-\d\d-\d\d\.{kind.lower()}", download.value.suggested_filename)
        assert "reencode-of-astronaut.jpg" in text
    assert json.loads(text)[0]["verdict"] == "reencoded"


def test_the_status_tells_of_the_store(new_page):
    """The snapshot that answers, its segments, why photos were rejected with an example, and the last runs."""
    page = new_page("/status")
    text = page.locator("main").inner_text()
    assert "Snapshot 1 answers: 21 photos, 19 of them different." in text
    assert "IMG_download.jpg" in text
    assert "This file is no photo that can be read" in text
    assert "22 listed" in text
