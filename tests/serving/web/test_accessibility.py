"""The page for everybody: axe finds nothing serious, in light and in dark, on a screen and on paper."""

from pathlib import Path

from tests.serving.web.conftest import NewsDesk
from tests.serving.web.test_page_in_browser import looked_up

SERIOUS = ("serious", "critical")


def violations(page) -> list[str]:
    """Returns what axe finds that keeps somebody from using a page, in light and in dark."""
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [(scheme, one) for one in Axe().run(page).response["violations"] if one["impact"] in SERIOUS]
    return [f"{scheme}: {one['id']}: {node['html'][:160]}" for scheme, one in found for node in one["nodes"]]


def test_axe_finds_nothing_serious(new_page, desk: NewsDesk, tmp_path: Path):
    """In the form, at work, after an error, in results of several photos, filtered too, in evidence and status."""
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8 torn")
    page = new_page()
    found = {"form": violations(page)}
    page.route("**/lookups", lambda route: None)
    page.set_input_files("#photos", desk.query("reencode"))
    page.get_by_role("button", name="Cancel").wait_for()
    found["at work"] = violations(page)
    page.unroute("**/lookups")
    page.set_input_files("#photos", [desk.query("reencode")] * 6)
    page.get_by_role("alert").filter(has_text="choose at most").wait_for()
    found["error"] = violations(page)
    page.set_input_files("#photos", [*map(desk.query, ("crop", "resize", "unseen")), tmp_path / "torn.jpg"])
    looked_up(page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    page.locator(".laid").first.wait_for()
    found["results"] = violations(page)
    page.get_by_label("Published from").fill("2029-01-01")
    page.get_by_role("link", name="Show all matches").wait_for()
    found["filtered"] = violations(page)
    page.get_by_role("link", name="Show all matches").click()
    page.get_by_role("status").filter(has_text="All matches are shown.").wait_for()
    page.get_by_role("link", name="Compare closely").first.click()
    page.get_by_role("heading", name="Facts").wait_for()
    found["evidence"] = violations(page)
    for name, path in {"status": "/status", "expired": "/lookups/none"}.items():
        page.goto(path)
        found[name] = violations(page)
    assert {name: some for name, some in found.items() if some} == {}
    new_page.errors.clear()  # the browser logs the 404 of the expired link


def test_paper_shows_what_the_screen_does(new_page, desk: NewsDesk):
    """Without the tools; black on white also where the screen is dark."""
    page = new_page(color_scheme="dark")
    page.set_input_files("#photos", desk.query("crop"))
    looked_up(page)
    page.emulate_media(media="print")
    assert page.get_by_role("heading", level=1).is_visible()
    assert not page.get_by_label("Link to this result").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
