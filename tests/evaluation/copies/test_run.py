"""An evaluation from photos to page, on a small scale."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.copies import make_queries, product
from evaluation.copies.page import write_page
from evaluation.copies.plan import CopiesOptions
from evaluation.copies.result import RESULTS, CopiesResult, read_result
from evaluation.copies.run import Encoders, evaluate_copies
from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store.files import Store
from tests.photos import jpeg, scene, write_archive

KINDS = ("mirrored", "jpeg_low_quality", "chain_of_2")


def evaluate(folder: Path, encoder_store: Path, tell: Callable[[str], None] = lambda _: None) -> CopiesResult:
    """Evaluates the photos of a folder, and writes the page."""
    options = CopiesOptions(
        photos=str(folder / "photos"),
        distractors=str(folder / "more"),
        scenes=folder / "scenes",
        made_edits=folder / "made",
        pictures=folder / "free",
        kinds=KINDS,
        per_kind=4,
        negatives=10,
    )
    encoders = Encoders(Store(encoder_store))
    result = evaluate_copies(options, encoders, output=folder / "page", work_dir=folder / "work", tell=tell)
    write_page(folder / "page")
    return result


def write_made_edits(folder: Path) -> None:
    """Writes two originals, one with two edits beside it and one with one."""
    for number, edits in enumerate([("darker.png", "smaller.jpg"), ("smaller.jpg",)]):
        place, pixels = folder / f"photo-{number}", scene(2_900 + number)
        place.mkdir(parents=True)
        (place / "original.jpg").write_bytes(jpeg(pixels))
        for name in edits:
            (place / name).write_bytes(jpeg(pixels // 2 if name == "darker.png" else pixels[::2, ::2]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, encoder_store: Path) -> Path:
    """A folder with photos, scenes and distractors that was evaluated once."""
    folder = tmp_path_factory.mktemp("copies")
    for number, (name, count) in enumerate([("photos", 24), ("more", 10), ("free", 6), ("scenes", 4)]):
        write_archive(folder / name, photos=count, first_seed=2_000 + 100 * number)
    write_made_edits(folder / "made")
    evaluate(folder, encoder_store)
    return folder


def test_each_part_is_counted(folder: Path):
    """Two archives, three kinds and the unedited files, negatives and scenes, the product beside other methods."""
    result = read_result(folder / "page")
    small, large = result.archives
    # Every second one of the two photos of each of two scenes is in the archive, two originals, and half of those that
    # may be shown.
    assert (small.photos, large.photos) == (14 + 2 + 2 + 3, 14 + 2 + 2 + 3 + 10)
    asked = {one.kind: one.detection.queries for one in small.kinds}
    assert asked == dict.fromkeys((*KINDS, "unedited"), 4) | {"made_by_others": 3}
    assert small.parts["made by others"].queries == 3
    assert {name: one.asked for name, one in small.false_alarms.items()} == {
        "negatives": 30,
        "negatives, unedited": 10,
        "negatives, edited": 20,
        "other photographs of a scene": 2,
        "pairs of photographs of a scene": 2,
    }
    assert small.copies.queries == 12
    product, _, *others = (one.name for one in result.methods)
    assert product == "firstseen"
    assert others == ["perceptual_hash", "difference_hash", "colour_histogram", "sift"]
    assert all(one.detection.queries == 12 for one in result.methods)
    assert [one.photos for one in result.build] == [21, 10]


def test_unedited_files_are_found_with_verdict_and_first_date(folder: Path):
    """The very file is rank 1 and identical, and its earlier copy says when it was seen first."""
    for archive in read_result(folder / "page").archives:
        found = {one.kind: one.detection for one in archive.kinds}["unedited"]
        assert (found.recall_at_1, found.right_verdict, found.right_date) == (1, 1, 1)
        assert archive.confusion["identical"] == {"identical": 4}


def test_what_was_finished_is_not_made_again(folder: Path, encoder_store: Path, monkeypatch: pytest.MonkeyPatch):
    """A query that is missing is made alone; stores and other methods are read, and the figures stay."""
    before = read_result(folder / "page")
    (queries,) = (path for path in folder.glob("work/*/queries-*") if not path.name.endswith("-methods"))
    times = {path: path.stat().st_mtime_ns for path in queries.iterdir()}
    missing = next(queries.glob("copy-mirrored-*"))
    missing.unlink()
    made: list[str] = []
    draw = make_queries.draw_edit
    monkeypatch.setattr(make_queries, "draw_edit", lambda kind, *rest: made.append(kind) or draw(kind, *rest))
    monkeypatch.setattr(product, "encode", lambda *_: pytest.fail("the archive was encoded again"))
    told: list[str] = []
    after = evaluate(folder, encoder_store, told.append)
    assert made == ["mirrored"]
    assert not [line for line in told if line.startswith("comparing")]
    assert {path: path.stat().st_mtime_ns for path in queries.iterdir() if path != missing} == {
        path: time for path, time in times.items() if path != missing
    }
    assert after.archives[0].kinds == before.archives[0].kinds


def test_an_interrupted_build_is_made_anew(tmp_path: Path, encoder_store: Path, monkeypatch: pytest.MonkeyPatch):
    """A store without its last file is not measured: half of an archive could be in it."""
    archive = write_archive(tmp_path / "archive", photos=4)[0].parents[1]
    encoder = Encoders(Store(encoder_store)).chosen
    build_index = product.build_index

    def interrupted(*_, **__) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(product, "build_index", interrupted)
    with pytest.raises(KeyboardInterrupt):
        product.build(tmp_path / "store", [(str(archive), None)], encoder=encoder)
    monkeypatch.setattr(product, "build_index", build_index)
    built = product.build(tmp_path / "store", [(str(archive), None)], encoder=encoder)
    assert [snapshot.contents for snapshot in built.snapshots] == [4]
    assert len(list((tmp_path / "store" / "embeddings").glob("*/*/run.json"))) == 1


def test_the_page_shows_every_part_and_no_photo_that_may_not_be_shown(folder: Path):
    """Tables, charts and failures stand on it, and every picture that it names lies beside it."""
    text = (folder / "page" / "README.md").read_text()
    for heading in ("False alarms", "Kind by kind", "Where it fails", "Verdicts", "Beside other methods", "Costs"):
        assert f"## {heading}" in text
    assert "mirrored" in text
    assert "chain of 2" in text
    assert "| made by others | 3 |" in text
    pictures = {path.name for path in (folder / "page").glob("*.png")}
    assert pictures == {"failures.png", "recall-by-kind.png", "reliability.png"}
    assert all(f"({name})" in text for name in pictures)
    assert str(folder) not in text + (folder / "page" / RESULTS).read_text()


def test_equal_results_give_an_equal_page(folder: Path, tmp_path: Path):
    """The page is made of the results alone, wherever they lie."""
    page = Path(shutil.copytree(folder / "page", tmp_path / "page"))
    for name in ("README.md", "index.html", "reliability.png"):
        (page / name).unlink()
    write_page(page)
    for path in (folder / "page").iterdir():
        assert (page / path.name).read_bytes() == path.read_bytes(), path.name


def test_results_of_an_older_program_are_read(folder: Path, tmp_path: Path):
    """What it counted in another way is passed over, and what it did not count stands on no page."""
    results = json.loads((folder / "page" / RESULTS).read_text())
    for archive in results["archives"]:
        del archive["false_alarms"]
        archive["negatives"] = 10
    (tmp_path / RESULTS).write_text(json.dumps(results))
    write_page(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "## False alarms" not in text
    assert "## Kind by kind" in text


def test_missing_and_damaged_results_are_refused(tmp_path: Path):
    """Both errors say what to do."""
    with pytest.raises(InputNotFoundError, match="firstseen evaluate copies"):
        write_page(tmp_path)
    (tmp_path / RESULTS).write_text(json.dumps({"archives": "none"}))
    with pytest.raises(ArtifactRefusedError, match="evaluate again"):
        write_page(tmp_path)
