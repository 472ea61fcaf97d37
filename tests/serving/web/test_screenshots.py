"""The pictures of the page in the documentation; FIRSTSEEN_SCREENSHOTS=docs/serving renews them."""

import os
from pathlib import Path

import pytest

from tests.serving.web.conftest import NewsDesk
from tests.serving.web.test_page_in_browser import looked_up

# In place of the folder of a test; whoever reads the documentation would look for it.
SHOWN_AS = "s3://news-desk"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1180, "height": 820}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the pictures go: a folder that is named, or one that nobody keeps."""
    chosen = Path(os.environ.get("FIRSTSEEN_SCREENSHOTS", tmp_path))
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen


def keep(page, path: Path, *, whole: bool = False) -> None:
    """Writes what is seen of a page, once all of it is there."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path, full_page=whole, animations="disabled")
    assert path.stat().st_size > 5_000


def without_paths(page, desk: NewsDesk) -> None:
    """Shows archive's places as those of a bucket."""
    own = desk.store.parent.as_uri()

    def answer(route) -> None:
        found = route.fetch()
        route.fulfill(response=found, body=found.text().replace(own, SHOWN_AS).replace(own[7:], SHOWN_AS))

    for path in ("**/lookups/*snapshot=*", "**/v1/evidence/**", "**/status"):
        page.route(path, answer)


# Photographs that are free of rights alone: of NASA, of SpaceX, and under CC0.
def test_results_are_drawn(new_page, desk: NewsDesk, folder: Path, tmp_path: Path):
    """A photo that was published twice, in light, in dark and on a phone; several, one of which is no whole file."""
    page = new_page(**DESKTOP)
    without_paths(page, desk)
    page.set_input_files("#photos", desk.query("resize-of-rocket"))
    looked_up(page)
    page.locator(".laid").wait_for()
    page.evaluate("scrollTo(0, 0)")
    keep(page, folder / "result.png")
    page.emulate_media(color_scheme="dark")
    keep(page, folder / "result-dark.png")
    phone = new_page(**PHONE)
    without_paths(phone, desk)
    phone.goto(page.url.partition("#")[0])
    keep(phone, folder / "result-phone.png")
    page.emulate_media(color_scheme="light")
    page.goto("/")
    (tmp_path / "from-the-web.jpg").write_bytes(desk.query("resize").read_bytes()[:900])
    several = map(desk.query, ("resize-of-rocket", "reencode-of-astronaut", "mirror-of-camera", "unseen"))
    page.set_input_files("#photos", [*several, tmp_path / "from-the-web.jpg"])
    looked_up(page)
    page.evaluate("scrollTo(0, 0)")
    keep(page, folder / "several.png")


def test_the_other_pages_are_drawn(new_page, desk: NewsDesk, folder: Path):
    """The form, the evidence of a copy, and the status of the store."""
    page = new_page(**DESKTOP)
    without_paths(page, desk)
    keep(page, folder / "form.png")
    page.set_input_files("#photos", desk.query("mirror-of-camera"))
    looked_up(page)
    page.get_by_role("link", name="Compare closely").first.click()
    page.get_by_role("heading", name="Facts").wait_for()
    keep(page, folder / "evidence.png", whole=True)
    page.goto("/status")
    keep(page, folder / "status.png", whole=True)
