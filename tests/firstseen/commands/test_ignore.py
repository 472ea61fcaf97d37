"""The verb ignore: add, list, remove."""

import json
from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.store.files import Store
from foundation.store.ignored import read_ignored, standing
from tests.firstseen.desk import one_error_line
from tests.photos import jpeg, noise


@pytest.fixture
def desk_files(tmp_path: Path) -> tuple[str, str]:
    """An empty store, and a photo of a logo."""
    Store(tmp_path / "store", create=True)
    (tmp_path / "logo.jpg").write_bytes(jpeg(noise(1)))
    return str(tmp_path / "store"), str(tmp_path / "logo.jpg")


def test_a_photo_is_ignored_listed_and_removed(desk_files: tuple[str, str], capsys: pytest.CaptureFixture):
    """Each line says what, and which number; what is on the list is not added again."""
    store, logo = desk_files
    assert run(["ignore", "add", logo, logo, "--store", store, "--why", "our own logo"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        f"{logo}: ignored as number 1; live within 60 s everywhere",
        f"{logo}: on the list already",
    ]
    assert run(["ignore", "remove", "1", "--store", store, "--why", "a mistake"]) == 0
    assert "entry 2 removes 1" in capsys.readouterr().err
    assert run(["ignore", "list", "--store", store]) == 0
    shown = capsys.readouterr().out
    assert f"{logo}: removed by 2: our own logo" in shown
    assert "removes 1: a mistake" in shown
    assert run(["ignore", "list", "--store", store, "--format", "json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [(one["number"], one["why"], one["undoes"]) for one in entries] == [
        (1, "our own logo", None),
        (2, "a mistake", 1),
    ]


def test_an_entry_that_was_purged_says_so(desk_files: tuple[str, str], capsys: pytest.CaptureFixture):
    """It has neither a photo nor an entry that it takes back."""
    store, logo = desk_files
    assert run(["ignore", "add", logo, "--store", store]) == 0
    path = Path(store, "ignored", "1.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"photo": None}))
    assert run(["ignore", "list", "--store", store]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("  purged")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["remove", "7"], "no ignored photo 7; expected one of: none"),
        (["add", "missing.jpg"], "firstseen: missing.jpg cannot be read"),
        (["add", __file__], f"firstseen: {__file__}: received bytes that begin with"),
    ],
)
def test_what_cannot_be_done_is_told(
    desk_files: tuple[str, str], capsys: pytest.CaptureFixture, arguments: list[str], said: str
):
    """In one line, as input that was not found."""
    store, _ = desk_files
    assert run(["ignore", *arguments, "--store", store]) == 4
    assert said in one_error_line(capsys)


@pytest.mark.parametrize("damage", ["not the JSON", "missing"])
def test_an_entry_that_nobody_can_read_is_given_up(
    desk_files: tuple[str, str], capsys: pytest.CaptureFixture, damage: str
):
    """Every lookup waits for it until then, and the refusal names the command; the rest of the list stands."""
    store, logo = desk_files
    other = Path(logo).with_name("other.jpg")
    other.write_bytes(jpeg(noise(2)))
    assert run(["ignore", "add", logo, str(other), "--store", store]) == 0
    path = Path(store, "ignored", "1.json")
    path.unlink() if damage == "missing" else path.write_bytes(b"{")
    capsys.readouterr()
    assert run(["ignore", "list", "--store", store]) == 5
    assert f"ignored/1.json is {damage}" in (line := one_error_line(capsys))
    assert line.endswith("; or go on without what it says: `firstseen ignore remove 1`")
    assert run(["ignore", "remove", "1", "--store", store]) == 0
    assert [one.name for one in standing(read_ignored(Store(store))).values()] == [str(other)]
    assert run(["ignore", "add", logo, "--store", store]) == 0
    assert len(standing(read_ignored(Store(store)))) == 2
