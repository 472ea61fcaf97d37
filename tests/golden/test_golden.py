"""Stores of earlier versions: the present program reads, checks, searches and extends them."""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.store.files import Store
from foundation.store.snapshots import read_snapshot
from tests.golden import make_store
from tests.photos import write_archive

VERSIONS = sorted(Path(__file__).parent.glob("version-*"))
# What `status` says of their photos.
PHOTOS = {"version-1": "31 in 30 contents", "version-2": "43 in 42 contents", "version-3": "43 in 42 contents"}
# Their segments name no archive, and the next index builds them anew.
DUE = ("version-1", "version-2")
# What is made of the pixels of a query and a photo, which a later program may do better.
JUDGED = {"score", "verdict", "description", "inliers", "query_overlap", "photo_overlap", "transform"}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("scann") is None, reason="a golden store has a ScaNN segment, and ScaNN is for Linux only"
)


@pytest.fixture(params=VERSIONS, ids=lambda folder: folder.name)
def golden(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a golden folder; the working directory is that of its queries."""
    folder = Path(shutil.copytree(request.param, tmp_path / request.param.name))
    monkeypatch.chdir(folder / "queries")
    return folder


# Columns that answers got since version 1 began, for a store without local features and without a claimed date. Golden
# photos with a date have it from a catalog, which names their source too.
ADDED = {"claim": None, "first_seen_basis": None, "source": None}
DATED = {"first_seen_basis": "published", "source": "golden"}
DESCRIPTIONS = {"identical": "the same file, byte for byte"}


def look_up(capsys: pytest.CaptureFixture) -> list[dict]:
    """Returns the present program's answers to the golden queries, in the working directory."""
    capsys.readouterr()
    assert run(["lookup", *sorted(os.listdir()), *make_store.LOOKUP]) == 0
    return [without_judgement(json.loads(line)) for line in capsys.readouterr().out.splitlines()]


def answers_of(folder: Path, **changes: object) -> list[dict]:
    """Returns the old program's answers; another processor may round a vector's last digits otherwise."""
    answers = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    return [
        {
            name: about(value)
            for name, value in {
                **ADDED,
                **(DATED if one["published_at"] else {}),
                **_described(without_judgement(one)),
                **changes,
            }.items()
        }
        for one in answers
    ]


def without_judgement(answer: dict) -> dict:
    """Returns an answer without what the pixels say; one that no pixels were compared for is whole."""
    return {name: value for name, value in answer.items() if answer["transform"] is None or name not in JUDGED}


def _described(answer: dict) -> dict:
    return {"description": DESCRIPTIONS.get(answer["verdict"]), **answer} if "verdict" in answer else answer


def about(value: object) -> object:
    """Returns what equals a number in its first four digits, and the value itself if it is none."""
    return pytest.approx(value, rel=0, abs=1e-4) if isinstance(value, float) else value


def test_there_is_a_golden_store():
    """Without one, every test below would pass over nothing."""
    assert VERSIONS


def test_an_old_store_is_shown_and_whole(golden: Path, capsys: pytest.CaptureFixture):
    """`status` says what it holds, and whether it is to be built anew; `verify` finds every byte as it was written."""
    assert run(["status", "--store", "../store"]) == 0
    shown = capsys.readouterr().out
    assert "snapshot   2 of " in shown
    assert f"photos     {PHOTOS[golden.name]}" in shown
    assert ("due        2 runs of " in shown) == (golden.name in DUE)
    assert run(["verify", "--store", "../store"]) == 0
    assert run(["verify", "--store", "../store", "--snapshot", "1"]) == 0


def test_an_old_store_gives_the_answers_it_gave(golden: Path, capsys: pytest.CaptureFixture):
    """Same photos and dates; without evidence the same verdicts, and scores and similarities to four digits."""
    assert look_up(capsys) == answers_of(golden)


def test_an_old_store_takes_new_photos(golden: Path, capsys: pytest.CaptureFixture, tmp_path: Path):
    """A new run is indexed beside the old segments; the old photos are found as before, and a rollback goes back."""
    (new, *_) = write_archive(tmp_path / "new", photos=3, first_seed=900)
    assert run(["encode", str(tmp_path / "new"), "--store", "../store"]) == 0
    assert run(["index", "--store", "../store"]) == 0
    assert run(["verify", "--store", "../store"]) == 0
    shutil.copyfile(new, "new.jpg")
    found = {(answer["query"], answer["rank"]): answer for answer in look_up(capsys)}
    assert found["new.jpg", 1]["verdict"] == "identical"
    assert found["unedited.jpg", 1]["verdict"] == found["duplicate.jpg", 1]["verdict"] == "identical"
    os.remove("new.jpg")
    assert run(["rollback", "--store", "../store"]) == 0
    assert look_up(capsys) == answers_of(golden, snapshot=4)


def test_an_old_index_is_built_anew_once(golden: Path, capsys: pytest.CaptureFixture):
    """If its segments name no archive, the first index makes them anew of their runs; a photo is counted once."""
    number = 3 if golden.name in DUE else 2
    assert run(["index", "--store", "../store"]) == 0
    assert look_up(capsys) == answers_of(golden, snapshot=number)
    assert run(["status", "--store", "../store"]) == 0
    shown = capsys.readouterr().out
    assert f"photos     {PHOTOS[golden.name]}" in shown
    assert "due " not in shown
    assert run(["index", "--store", "../store"]) == 0
    assert read_snapshot(Store(golden / "store")).number == number


def test_old_shards_are_indexed_anew(golden: Path, capsys: pytest.CaptureFixture):
    """The embeddings outlive every index: segments of the present program give the same answers."""
    for folder in ("snapshots", "segments"):
        shutil.rmtree(golden / "store" / folder)
    assert run(["index", "--store", "../store"]) == 0
    assert look_up(capsys) == answers_of(golden, snapshot=1)


def test_the_script_makes_such_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """What it makes today will be read by later programs: two segments, a duplicate, a reject, answers to keep."""
    make_store.main(tmp_path / "version", tmp_path / "archives")
    store = Store(tmp_path / "version" / "store")
    assert (read_snapshot(store).number, read_snapshot(store).contents, read_snapshot(store).photos) == (2, 42, 43)
    monkeypatch.chdir(tmp_path / "version" / "queries")
    assert look_up(capsys) == answers_of(tmp_path / "version")
    assert sorted(os.listdir()) == sorted(os.listdir(VERSIONS[-1] / "queries"))
