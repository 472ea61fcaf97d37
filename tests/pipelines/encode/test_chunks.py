"""Encoding a chunk: done whole and written down once, and an error says which chunk it struck."""

import pickle
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from foundation.errors import InputNotFoundError, TemporaryError
from foundation.photos import photo
from foundation.store.files import Store
from foundation.store.runs import Run
from pipelines.encode import chunks
from pipelines.encode.chunks import EncodeChunk, outcomes_path, read_chunk
from pipelines.encode.outcomes import read_finished_chunk
from pipelines.encode.work import Work
from pipelines.runners.reported import ErrorReport
from tests.nights import Nights, hash_of

Planned = tuple[Store, Run, Any, Work]


@pytest.fixture
def planned(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """The store, run, encoder and work of nine photos, three to a chunk: two are the same, and two broken."""
    for number in range(9):
        nights.put(f"{number}.jpg", min(number, 6))
    nights.path("1.jpg").write_bytes(b"<html>")
    nights.path("8.jpg").write_bytes(b"")
    caught: list[Planned] = []

    def stop(*arguments: Any, **_: Any) -> None:
        caught.append(arguments[:4])
        raise TemporaryError("that is all")

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.encode.encode_chunks.encode_chunks", stop)
        with pytest.raises(TemporaryError):
            nights.encode()
    return caught[0]


@pytest.fixture
def make_step(planned: Planned) -> Iterator[Callable[[], EncodeChunk]]:
    """A function that sets the step up, as a worker would."""
    made: list[EncodeChunk] = []

    def make() -> EncodeChunk:
        made.append(EncodeChunk(*planned, batch_size=2, progress_directory=None))
        made[-1].setup()
        return made[-1]

    yield make
    for step in made:
        step.teardown()


def outcomes_of(planned: Planned, chunk: int) -> list[dict[str, Any]]:
    """Returns what is written down of a chunk."""
    store, run, _, work = planned
    return parquet.read_table(store.local_root / outcomes_path(run, work, chunk)).to_pylist()


def test_a_chunk_is_written_to_one_shard_and_its_outcomes(planned: Planned, make_step: Callable) -> None:
    """Every photo of it in its order; the shard has the rows of those that were embedded, and that digest."""
    store, run, _, work = planned
    step = make_step()
    assert work.chunks == 3
    assert [list(step.process(chunk)) for chunk in range(3)] == [[0], [1], [2]]
    found = [
        [(row["photo_id"], row["reason"], row["is_embedded"]) for row in outcomes_of(planned, n)] for n in range(3)
    ]
    assert found == [
        [("0.jpg", None, True), ("1.jpg", "not_a_photo", False), ("2.jpg", None, True)],
        [("3.jpg", None, True), ("4.jpg", None, True), ("5.jpg", None, True)],
        [("6.jpg", None, True), ("7.jpg", None, False), ("8.jpg", "empty_file", False)],
    ]
    assert [row["content_sha256"] for row in outcomes_of(planned, 2)] == [hash_of(6), hash_of(6), None]
    for chunk, names in enumerate([["0.jpg", "2.jpg"], ["3.jpg", "4.jpg", "5.jpg"], ["6.jpg"]]):
        shard = read_finished_chunk(store, outcomes_path(run, work, chunk)).shard
        assert shard is not None
        assert parquet.read_table(store.local_root / run.directory / shard.name)["photo_id"].to_pylist() == names
        assert store.measure(f"{run.directory}/{shard.name}") == (shard.record.size_bytes, shard.record.sha256)


def test_a_chunk_of_rejects_alone_has_no_shard(planned: Planned, make_step: Callable, nights: Nights) -> None:
    """And the encoder is not loaded for it."""
    store, run, _, work = planned
    for name in "345":
        nights.path(f"{name}.jpg").write_bytes(b"")
    list(make_step().process(1))
    assert read_finished_chunk(store, outcomes_path(run, work, 1)).shard is None
    assert [row["reason"] for row in outcomes_of(planned, 1)] == ["empty_file"] * 3


def test_a_chunk_that_is_done_is_not_done_again(planned: Planned, make_step: Callable, nights: Nights) -> None:
    """A runner may hand out an element twice, also to another worker."""
    list(make_step().process(0))
    decoded, files = len(nights.decoded), nights.store.files(planned[1].directory)
    assert list(make_step().process(0)) == [0]
    assert (len(nights.decoded), nights.store.files(planned[1].directory)) == (decoded, files)


def test_the_slower_of_two_attempts_leaves_nothing(planned: Planned, make_step: Callable) -> None:
    """Both began at the same time: the shard of the one that came second is removed, and no row counts twice."""
    store, run, _, work = planned
    path = outcomes_path(run, work, 0)
    list(make_step().process(0))
    make_step()._encode(0, path)
    shard = read_finished_chunk(store, path).shard
    assert shard is not None
    assert [name for name in store.files(run.directory) if name.startswith("part-")] == [shard.name]


def test_an_error_names_its_chunk(planned: Planned, make_step: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand chunks, the one that cannot be read is named; the error stays what it was, and nothing is done."""
    store, run, _, work = planned

    def gone(*_: Any) -> None:
        raise InputNotFoundError("cannot read: it does not exist")

    monkeypatch.setattr(chunks, "read_chunk", gone)
    step = make_step()
    assert list(step.process(2)) == [2]
    assert not store.exists(outcomes_path(run, work, 2))
    with pytest.raises(InputNotFoundError, match=rf"^chunk 2 of {work.path}: cannot read"):
        ErrorReport.beside(store, work.path).settle()


def test_once_an_error_is_reported_no_chunk_is_encoded(planned: Planned, make_step: Callable) -> None:
    """The job has failed: what is left of it would be for nothing."""
    store, run, _, work = planned
    with ErrorReport.beside(store, work.path).reporting():
        raise InputNotFoundError("the encoder is gone: expected it; restore it")
    assert list(make_step().process(0)) == [0]
    assert not store.exists(outcomes_path(run, work, 0))


def test_an_error_in_a_decoder_names_its_chunk(
    planned: Planned, make_step: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It arrives in the thread of the step, where its result would have stood."""

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(photo, "decode", broken)
    with pytest.raises(RuntimeError, match=rf"^chunk 1 of {planned[3].path}: .*ZeroDivisionError: by nothing$"):
        list(make_step().process(1))


def test_an_error_of_the_model_names_chunk_and_photos(
    planned: Planned, make_step: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks for the photo that breaks a model needs to know where to begin."""

    def failing(*_: Any) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(chunks, "embed_photos", failing)
    with pytest.raises(RuntimeError, match=r"chunk 1, 2 photos from '3\.jpg': ZeroDivisionError: by nothing$"):
        list(make_step().process(1))


def test_rows_of_a_chunk_are_those_of_its_row_group(planned: Planned) -> None:
    """No other is read."""
    store, _, _, work = planned
    assert [row["photo_id"] for row in read_chunk(store, work.path, 1)] == ["3.jpg", "4.jpg", "5.jpg"]


def test_a_step_that_was_torn_down_leaves_no_thread(planned: Planned) -> None:
    """A worker sets steps up and tears them down many times."""
    before = set(threading.enumerate())
    step = EncodeChunk(*planned, batch_size=2, progress_directory=None)
    step.setup()
    list(step.process(0))
    threads = set(threading.enumerate()) - before
    assert threads
    step.teardown()
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)


def test_what_a_worker_knows_is_not_decoded(planned: Planned, nights: Nights) -> None:
    """Contents of the files that the work names are read and no more; those withdrawn are rejects."""
    store, run, spec, work = planned
    for name, numbers in (("known", (3, 5)), ("withdrawn", (4,))):
        np.save(nights.folder / name, np.array(sorted(hash_of(number) for number in numbers), "S32"))
        store.upload(f"{name}.npy", nights.folder / f"{name}.npy")
    known = Work(attempt="x", path=work.path, chunks=3, known=["known.npy"], withdrawn=["withdrawn.npy"])
    step = EncodeChunk(store, run, spec, known, batch_size=2, progress_directory=None)
    step.setup()
    list(step.process(1))
    step.teardown()
    rows = outcomes_of((store, run, spec, known), 1)
    assert [(row["content_sha256"], row["reason"]) for row in rows] == [
        (hash_of(3), None),
        (None, "retracted"),
        (hash_of(5), None),
    ]
    assert nights.decoded == []


@pytest.mark.parametrize("is_another", [False, True])
def test_a_worker_that_does_not_see_the_store_does_nothing(planned: Planned, tmp_path: Path, is_another: bool) -> None:
    """Whether its machine lacks the folder or has another of that name: a retry there would end the same way."""
    store, *_ = planned
    travelling = pickle.dumps(EncodeChunk(*planned, batch_size=2, progress_directory=None))
    store.local_root.rename(tmp_path / "elsewhere")
    if is_another:
        store.local_root.mkdir()
    step = pickle.loads(travelling)  # noqa: S301 (made above)
    step.setup()
    assert list(step.process(0)) == [0]
    step.teardown()
    assert (list(store.local_root.iterdir()) if is_another else store.is_there()) in ([], False)
