"""A lookup by a Beam job, with stand-ins for models and indexes: what is done, done once, and gone on with."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from foundation.errors import ArtifactRefusedError, TemporaryError, TranslatedOnlyError, UsageError
from foundation.store.gc import GcOptions, collect_garbage
from foundation.store.snapshots import snapshot_numbers
from pipelines.lookup import rounds
from pipelines.lookup.contents import Contents
from pipelines.lookup.files import WorkingFiles
from pipelines.lookup.job import Listeners, look_up
from pipelines.lookup.names import answers_file
from pipelines.lookup.plan import ROUND_QUERIES_PER_WORKER, Group, LookupOptions, Plan
from pipelines.lookup.prepare_chunk import PrepareChunk
from pipelines.lookup.progress import Progress
from pipelines.lookup.worker import Job, shared_worker
from serving.match.options import MatchOptions
from serving.queries import Listed
from serving.search.snapshot import OpenSnapshot
from tests.pipelines.lookup.desk import Desk, cut_off_at_the_end, digest, told


def test_each_query_has_its_answer_in_its_place(desk: Desk) -> None:
    """Photos, one for a closer look, a missing one and a broken one, over several chunks and rounds."""
    contents = [b"a", b"close b", b"c", b"corrupt d", b"e", b"close f", b"g"]
    names = [desk.photo(f"{place}.jpg", data) for place, data in enumerate(contents)]
    names.insert(3, "missing.jpg")
    found = desk.look_up(names)
    rejected = {"missing.jpg", "3.jpg"}
    assert [name for name, _, _ in told(found)] == [name.rpartition("/")[2] for name in names]
    assert {name for name, status, _ in told(found) if status == "rejected"} == rejected
    matched = {name: photo_id for name, status, photo_id in told(found) if status == "matched"}
    assert matched == {f"{n}.jpg": digest(data).hex() for n, data in enumerate(contents) if f"{n}.jpg" not in rejected}
    assert desk.store.directories("lookups") == []


def test_the_same_bytes_are_decoded_once(desk: Desk) -> None:
    """Within a chunk, a round, and between rounds; each name has the answer, a reject too."""
    kinds = [b"a", b"corrupt", b"close", b"b"]
    # Two a chunk, four a round: the same within a chunk, in two chunks of a round, and in another round.
    order = [0, 0, 0, 1, 1, 2, 3, 3, 2, 3, 0, 1]
    names = [desk.photo(f"{place}.jpg", kinds[kind]) for place, kind in enumerate(order)]
    found = told(desk.look_up(names))
    assert desk.calls.decoded == dict.fromkeys(kinds, 1)
    expected = [None if kind == 1 else digest(kinds[kind]).hex() for kind in order]
    assert found == [(f"{n}.jpg", "rejected" if one is None else "matched", one) for n, one in enumerate(expected)]
    # Chunks of which all is known ask nothing of any segment.
    assert desk.calls.steps["prepare"] == 6
    assert desk.calls.steps["choose"] == 4


def test_a_copy_owns_no_answer(desk: Desk) -> None:
    """Whichever chunk is prepared first, only who was asked or rejected holds the answer to a content."""
    cut_off_at_the_end(desk, [desk.photo(f"{n}.jpg", data) for n, data in enumerate([b"a", b"a", b"corrupt", b"a"])])
    (folder,) = desk.store.local_root.glob("lookups/*/")
    files = WorkingFiles(desk.store, f"lookups/{folder.name}")
    assert [files.read(answers_file(chunk), "contents", Contents).numbers.tolist() for chunk in range(2)] == [[0], [0]]


@pytest.mark.parametrize("step", ["prepare", "search", "choose", "fetch", "answer", "closer"])
def test_a_lookup_that_was_cut_off_goes_on(desk: Desk, step: str) -> None:
    """At whatever step: what was done is not done again, and the answers are those of an undisturbed one."""
    names = [desk.photo(f"{place}.jpg", b"close %d" % place) for place in range(4)]
    expected = desk.look_up(names)
    whole = desk.calls.steps.copy()
    desk.calls.steps.clear()

    def fail(name: str) -> None:
        if name == step and desk.calls.steps[name] == 2:
            raise TemporaryError("cut off")

    desk.calls.hook = fail
    with pytest.raises(TemporaryError, match="cut off"):
        desk.look_up(names)
    desk.calls.hook = lambda name: None
    assert desk.look_up(names) == expected
    # The step that failed is the only one that was begun twice: one file holds the answers and what is asked closer.
    assert desk.calls.steps - whole == ({"answer": 1, "closer": 1} if step == "closer" else {step: 1})
    assert desk.store.directories("lookups") == []


def test_an_error_that_no_retry_mends_keeps_its_type(desk: Desk) -> None:
    """And what was done by then stays."""

    def fail(name: str) -> None:
        if name == "fetch":
            raise ArtifactRefusedError("a segment is damaged")

    desk.calls.hook = fail
    names = [desk.photo("a.jpg", b"a")]
    with pytest.raises(ArtifactRefusedError, match="a segment is damaged"):
        desk.look_up(names)
    desk.calls.hook = lambda name: None
    assert told(desk.look_up(names)) == [("a.jpg", "matched", digest(b"a").hex())]
    assert desk.calls.steps["prepare"] == 1


def test_segments_are_opened_by_groups_once_a_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many together as the limit has room for; a group alone stays open from round to round."""
    names = [desk.photo(f"{place}.jpg", b"%d" % place) for place in range(10)]
    expected = desk.look_up(names)
    assert desk.calls.opened == [[0, 1, 2]]
    monkeypatch.setattr("pipelines.lookup.job.bytes_to_open", lambda segment: 1_000_000_000)
    monkeypatch.setattr("pipelines.lookup.job.require_room", lambda segments, limit: None)
    desk.calls.opened.clear()
    assert desk.look_up(names, memory_limit="3GB") == expected
    assert desk.calls.opened[:2] == [[0, 1], [2]]
    assert len(desk.calls.opened) <= 4 * 3


def test_a_damaged_file_is_named_and_made_anew(desk: Desk) -> None:
    """One flipped bit of what was prepared is noticed; without the file the lookup goes on."""
    names = [desk.photo("a.jpg", b"a")]

    def cut_off(name: str) -> None:
        if name == "search":
            raise TemporaryError("cut off")

    desk.calls.hook = cut_off
    with pytest.raises(TemporaryError):
        desk.look_up(names)
    desk.calls.hook = lambda name: None
    (path,) = desk.store.local_root.glob("lookups/*/prepared/*")
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(
        ArtifactRefusedError, match=r"prepared/.* is damaged .*; delete it and run the same lookup again"
    ):
        desk.look_up(names)
    path.unlink()
    assert told(desk.look_up(names)) == [("a.jpg", "matched", digest(b"a").hex())]


def truncate(path: Path) -> None:
    """Leaves the first bytes of a file, as a full disk may."""
    os.truncate(path, 8)


def test_a_damaged_file_of_what_is_gone_decides_nothing(desk: Desk) -> None:
    """Nothing is answered by it; without it the lookup goes on."""
    names = [desk.photo("a.jpg", b"a")]
    cut_off_at_the_end(desk, names)
    (path,) = desk.store.local_root.glob("lookups/*/gone")
    truncate(path)
    shutil.rmtree(path.parent / "answers")
    with pytest.raises(ArtifactRefusedError, match=r"/gone is damaged .*; delete it and run the same lookup again"):
        desk.look_up(names)
    path.unlink()
    assert told(desk.look_up(names)) == [("a.jpg", "matched", digest(b"a").hex())]


@pytest.mark.parametrize("name", ["known/*", "queries.parquet"])
def test_a_damaged_file_of_a_round_decides_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What is known by then is asked again, and the list is written anew."""
    add_known = rounds.add_known
    names = [desk.photo(f"{place}.jpg", b"%d" % place) for place in range(6)]

    def add_and_truncate(*given: Any) -> list[str]:
        added = add_known(*given)
        for path in desk.store.local_root.glob(f"lookups/*/{name}") if added else ():
            truncate(path)
        return added

    with monkeypatch.context() as patch:
        patch.setattr(rounds, "add_known", add_and_truncate)
        with pytest.raises(ArtifactRefusedError, match=r"is damaged .*; delete it and run the same lookup again"):
            desk.look_up(names)
    assert [name for name, _, _ in told(desk.look_up(names))] == [f"{place}.jpg" for place in range(6)]


def test_files_of_others_are_passed_over(desk: Desk) -> None:
    """Systems leave some wherever a folder is open."""
    names = [desk.photo(f"{place}.jpg", b"close %d" % place) for place in range(6)]

    def litter(_: str) -> None:
        for folder in desk.store.local_root.glob("lookups/*/*/"):
            (folder / ".nfs0001").write_bytes(b"")

    desk.calls.hook = litter
    cut_off_at_the_end(desk, names)
    litter("")
    assert len(desk.look_up(names)) == 6
    assert desk.store.directories("lookups") == []


def test_a_process_takes_up_another_plan(desk: Desk) -> None:
    """A job that goes on under another limit of memory has other groups: whoever is there still works by them."""
    made = {"lookup_id": "a", "snapshot": 1, "queries": 1, "queries_sha256": "", "queries_per_chunk": 2, "folder": ""}
    plan = Plan(**made, match=MatchOptions(), groups=(Group(0, 2),), slices=1)
    job = Job(desk.store, plan)
    with (
        shared_worker(job) as worker,
        shared_worker(replace(job, plan=replace(plan, groups=(Group(0, 1), Group(1, 2))))),
    ):
        assert worker.plan.groups == ((0, 1), (1, 2))


def test_work_is_cut_for_the_workers_of_the_cluster(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it says how many it has: pieces for each of them where there are fewer segments, and rounds."""
    seen: list[tuple[int, int]] = []

    def begin(job: Job, options: LookupOptions, *others: Any) -> rounds.Rounds:
        seen.append((job.plan.slices, options.chunks_per_round))
        return rounds.Rounds(job, options, *others)

    monkeypatch.setattr("pipelines.lookup.job.Rounds", begin)
    monkeypatch.setattr("pipelines.lookup.job.check_runner", lambda *_, **__: 7)
    desk.look_up([], runner="FnApiRunner", round_queries=None)
    assert seen == [(3, 7 * ROUND_QUERIES_PER_WORKER // 2)]


def test_in_another_folder_of_the_name_of_the_store_nothing_is_done(desk: Desk) -> None:
    """A worker's machine may have one, such as a copy: neither answers nor errors are written where nobody looks."""
    made = {"lookup_id": "a", "snapshot": 1, "queries": 1, "queries_sha256": "", "queries_per_chunk": 2, "folder": ""}
    job = Job(desk.store, Plan(**made, match=MatchOptions(), groups=(Group(0, 2),), slices=1))
    step = PrepareChunk(job)
    step.setup()
    assert list(step.process(0)) == []
    step.teardown()
    assert desk.store.sizes("lookups") == {}


def test_answers_that_are_lost_are_found_again(desk: Desk) -> None:
    """Also those that later chunks copy."""
    names = [desk.photo(f"{place}.jpg", b"%d" % (place % 3)) for place in range(12)]
    expected = desk.look_up(names)
    cut_off_at_the_end(desk, names)
    for path in sorted(desk.store.local_root.glob("lookups/*/answers/*"))[:2]:
        path.unlink()
    assert desk.look_up(names) == expected


def test_a_snapshot_that_is_published_meanwhile_changes_nothing(desk: Desk) -> None:
    """The lookup stays with its own, which a collection of garbage leaves in its place."""

    def publish(step: str) -> None:
        if step == "search" and desk.calls.steps[step] == 1:
            desk.nights.put("new.jpg", 20)
            desk.nights.night()
            collect_garbage(desk.store, GcOptions(keep=1, grace_hours=0))

    desk.calls.hook = publish
    names = [desk.photo(f"{place}.jpg", b"%d" % place) for place in range(6)]
    assert {one.snapshot for (one,) in desk.look_up(names)} == {3}
    assert {3, 4} == {*snapshot_numbers(desk.store)}
    with OpenSnapshot(desk.store, 3):
        collect_garbage(desk.store, GcOptions(keep=1, grace_hours=0))
    assert snapshot_numbers(desk.store) == [4]


def test_a_lookup_is_another_one_if_anything_else_is_asked(desk: Desk) -> None:
    """Of other photos, with other options, or of another snapshot: nothing of it is taken over."""
    names = [desk.photo("a.jpg", b"a")]
    cut_off_at_the_end(desk, names)
    cut_off_at_the_end(desk, [Listed(names[0], 1)])
    cut_off_at_the_end(desk, names, match=MatchOptions(batch_size=2, top_k=3))
    cut_off_at_the_end(desk, names, snapshot=1)
    assert len(desk.store.directories("lookups")) == 4
    assert desk.calls.steps["prepare"] == 4


def test_one_whose_files_another_machine_removed_says_so(desk: Desk) -> None:
    """The other one was faster, and has written the answers."""
    names = [desk.photo("a.jpg", b"a")]

    def look_up_and_lose() -> None:
        with look_up(map(Listed, names), desk.options()) as found:
            desk.store.delete([file.path for file in desk.store.walk() if file.path.startswith("lookups/")])
            list(found.answers(may_be_taken_back=True))

    with pytest.raises(TemporaryError, match="another process finished the same lookup"):
        look_up_and_lose()


def test_progress_counts_what_lies_in_the_store(desk: Desk) -> None:
    """Never more than there is, and all at the end."""
    seen: list[Progress] = []
    listed: list[int] = []
    names = [desk.photo(f"{place}.jpg", b"%d" % place) for place in range(5)]
    desk.look_up(names, Listeners(listed.append, seen.append))
    assert listed[-1] == 5
    assert {one.queries for one in seen} == {5}
    assert all(0 <= one.answered <= 5 for one in seen)
    assert seen[-1].stage.startswith("round 2 of 2")


def test_a_job_that_was_only_translated_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Dataflow does with --dry_run: the next call begins anew."""

    def translate(*_: object, **__: object) -> None:
        raise TranslatedOnlyError("the job was translated, not run")

    monkeypatch.setattr("pipelines.lookup.run_round.run_to_end", translate)
    with pytest.raises(TranslatedOnlyError, match="not run"):
        desk.look_up([desk.photo("a.jpg", b"a")])
    assert desk.store.directories("lookups") == []


def test_photos_are_decoded_in_other_processes(desk: Desk) -> None:
    """A decoder that dies of a photo costs that photo, and not the job."""
    desk.look_up([desk.photo("a.jpg", b"a")])
    (process,) = desk.calls.processes
    assert process != os.getpid()


def test_an_empty_list_has_no_answers(desk: Desk) -> None:
    """And starts no pipeline."""
    assert desk.look_up([]) == []
    assert not desk.calls.steps


def test_a_segment_that_fits_nowhere_is_refused(desk: Desk) -> None:
    """Before anything is listed or written."""
    with pytest.raises(UsageError, match="raise --memory-limit"):
        desk.look_up(["a.jpg"], memory_limit="1MB")
    assert desk.store.directories("lookups") == []


PAGE, PAGES = os.sysconf("SC_PAGE_SIZE"), 256


@pytest.mark.parametrize("left", [0, 4, 12])
def test_a_full_disk_ends_a_lookup_that_goes_on_later(desk: Desk, left: int) -> None:
    """With so many pages left: a temporary error that names the disk, and no answer is lost by it."""
    folder = desk.store.local_root / "lookups"
    folder.mkdir()
    size = f"size={PAGE * PAGES}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.decode().strip()}")
    try:
        names = [desk.photo(f"{place}.jpg", b"%d" % place) for place in range(6)]
        (folder / "ballast").write_bytes(bytes(PAGE * (PAGES - left - 1)))
        with pytest.raises(TemporaryError, match=r"(?i)no space"):
            desk.look_up(names)
        (folder / "ballast").unlink()
        assert [photo_id for _, _, photo_id in told(desk.look_up(names))] == [digest(b"%d" % n).hex() for n in range(6)]
        # What was done by then was not done again.
        assert desk.calls.steps["search"] <= 3 + 1
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
