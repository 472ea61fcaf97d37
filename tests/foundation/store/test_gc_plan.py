"""What goes of a store, by a table: what there is, and what is named."""

from datetime import datetime, timedelta, timezone

import pytest

from foundation.store.files import StoredFile
from foundation.store.gc_plan import Named, plan_removals

NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)
OLD = NOW - timedelta(days=3)


def files(*paths: str, young: str = "") -> list[StoredFile]:
    """Returns old files of ten bytes; `young` is one that was written just now."""
    return [StoredFile(path, 10, NOW if path == young else OLD) for path in sorted(paths)]


def gone(found: list[StoredFile], **named) -> list[tuple[str, list[str]]]:
    """Returns what goes: what it was, and the files."""
    removals = plan_removals(found, Named(**named), young=NOW - timedelta(days=1))
    return [(one.what, [file.path for file in one.files]) for one in removals]


SEGMENT = ["segments/s/segment.json", "segments/s/vectors.npy"]
RUN = ["embeddings/e/r/part-1.parquet", "embeddings/e/r/run.json"]
LISTED = {"segments/s": {"segment.json", "vectors.npy"}, "embeddings/e/r": {"part-1.parquet", "run.json"}}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], []),
        (files(*SEGMENT), [("segment", SEGMENT)]),
        (files(*RUN), [("run", RUN)]),
        (files(SEGMENT[1]), [("unfinished segment", SEGMENT[1:])]),
        (files(RUN[0]), [("unfinished run", RUN[:1])]),
        (files("builds/b.json"), [("build", ["builds/b.json"])]),
        # Any young file keeps all of its directory, and of its own alone.
        (files(*SEGMENT, young=SEGMENT[1]), []),
        (files(RUN[0], young=RUN[0]), []),
        (files("builds/b.json", young="builds/b.json"), []),
        (files(*SEGMENT, *RUN, young=RUN[0]), [("segment", SEGMENT)]),
        # What is no artifact of these kinds is left alone.
        (files("snapshots/1.json", "retractions/1.json", "watch/w", "README", "segments/note.txt"), []),
        (files("encoders/e/encoder.json", "encoders/e/saved_model.pb"), []),
        (files("watched/w/watched.json", "watched/w/photo", "watched/w/found-1.json"), []),
        # What a process was killed over.
        (files("encoders/e/saved_model.pb"), [("unfinished encoder", ["encoders/e/saved_model.pb"])]),
        (files("encoders/e/saved_model.pb", "embeddings/e/r/run.json", young="embeddings/e/r/run.json"), []),
        (files("watched/w/photo"), [("unfinished watched query", ["watched/w/photo"])]),
        (files("watched/w/photo", young="watched/w/photo"), []),
        (files("ignored/1.json", "ignored/a.jpg"), [("thumbnail of no ignored photo", ["ignored/a.jpg"])]),
        (files("ignored/1.json", "ignored/a.jpg", young="ignored/a.jpg"), []),
    ],
)
def test_what_nobody_names_goes_unless_it_is_young(found: list[StoredFile], expected: list):
    """Each artifact as a whole."""
    assert gone(found) == expected


def test_what_is_named_stays_without_what_it_does_not_list():
    """Leftovers of finished runs and segments go: they are of attempts that were cut off."""
    found = files(*SEGMENT, *RUN, "segments/s/vectors.npy#1", "embeddings/e/r/outcomes/1.parquet")
    assert gone(found, listed=LISTED) == [
        ("leftovers of run", ["embeddings/e/r/outcomes/1.parquet"]),
        ("leftovers of segment", ["segments/s/vectors.npy#1"]),
    ]
    assert gone(files(*SEGMENT, *RUN), listed=LISTED) == []


def test_of_what_nobody_knows_everything_stays():
    """A damaged run, and one that a process is at."""
    found = files(*RUN, "embeddings/e/r/other", "embeddings/e/q/part")
    assert gone(found, whole=frozenset(["embeddings/e/r", "embeddings/e/q"])) == []
    thumbnails = files("ignored/a.jpg", "ignored/b.jpg")
    assert gone(thumbnails, whole=frozenset(["ignored"])) == []
    assert [paths for _, paths in gone(thumbnails, whole=frozenset(["ignored/a.jpg"]))] == [["ignored/b.jpg"]]


def test_names_that_begin_alike_are_told_apart():
    """Directories are those of whole names."""
    found = files("segments/s/segment.json", "segments/s-2/segment.json", "segments/s2/segment.json")
    assert gone(found, listed={"segments/s": {"segment.json"}}) == [
        ("segment", ["segments/s-2/segment.json"]),
        ("segment", ["segments/s2/segment.json"]),
    ]


def test_an_encoder_goes_when_it_is_asked_to_and_nobody_is_at_its_runs():
    """Its runs go first; while one stays, so does the encoder."""
    encoder = "encoders/e/encoder.json"
    dropped = frozenset("e")
    assert gone(files(encoder, "encoders/f/encoder.json", *RUN), dropped_encoders=dropped) == [
        ("run", RUN),
        ("encoder", [encoder]),
    ]
    assert gone(files(encoder, *RUN, young=RUN[0]), dropped_encoders=dropped) == []
    assert gone(files(encoder, *RUN), dropped_encoders=dropped, whole=frozenset(["embeddings/e/r"])) == []


def test_the_description_of_an_artifact_is_known():
    """It is what goes first."""
    (one,) = plan_removals(files(*RUN), Named(), young=NOW)
    assert (one.description, one.size_bytes) == ("embeddings/e/r/run.json", 20)
