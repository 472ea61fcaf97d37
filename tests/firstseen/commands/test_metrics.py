"""Tests the file of Prometheus metrics that a job leaves behind, whichever way it ends."""

import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from firstseen.commands import metrics
from firstseen.commands.running import run
from foundation.errors import PublishRaceLostError, TemporaryError, TranslatedOnlyError
from foundation.store.encoders import list_encoders
from foundation.store.files import Store
from foundation.store.runs import Accounting
from pipelines.encode.job import EncodeResult
from tests.builders import add_encoder, add_run, unit_vectors
from tests.firstseen.desk import one_error_line
from tests.foundation.store.test_status import index

Samples = dict[tuple[str, ...], float]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a live snapshot of one run, another run that waits, and another encoder, which is not newer."""
    store = Store(tmp_path / "store", create=True)
    # Encoders are told apart by the second in which they were made: the one that was made first is never the newer one.
    add_encoder(store, recipe="other")
    encoder_id = add_encoder(store)
    add_run(store, encoder_id, "run-1", unit_vectors(2, 4))
    index(store, encoder_id, "run-1")
    add_run(store, encoder_id, "run-2", unit_vectors(2, 4))
    return store


@pytest.fixture
def encode(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """A function that runs `encode` with a metrics file; the work itself is a function that the test gives."""

    def encode_with(work: Callable[[], EncodeResult], *arguments: str) -> int:
        monkeypatch.setattr("pipelines.encode.job.encode", lambda *_, **__: work())
        words = ["encode", "/archive", "--store", store.uri, "--metrics-file", str(tmp_path / "encode.prom")]
        return run([*words, *arguments])

    return encode_with


def finished(store: Store, **rejected: int) -> EncodeResult:
    """Returns an encode that has rejected some of its photos."""
    (other,) = (one for one in list_encoders(store) if one.startswith("other-"))
    run = add_run(store, other, f"run-{time.monotonic_ns()}", unit_vectors(2, 4))
    listed = 100 + sum(rejected.values())
    accounting = Accounting(
        listed=listed, embedded=90, duplicates=2, unchanged=5, renamed=3, removed=7, rejected=rejected
    )
    accounting.check()
    return EncodeResult(run, accounting, is_new=True, date_problems=[], left_out=Counter())


def fail(error: BaseException) -> Callable[[], Any]:
    """Returns work that ends with an error."""

    def work() -> None:
        raise error

    return work


def read(path: Path) -> Samples:
    """Returns the value of each sample, by its name and the values of its own labels."""
    job = {"archive", "store", "verb"}
    return {
        (sample.name, *(value for name, value in sample.labels.items() if name not in job)): sample.value
        for family in text_string_to_metric_families(path.read_text("utf-8"))
        for sample in family.samples
    }


def test_a_run_leaves_what_became_of_its_photos(store: Store, tmp_path: Path, encode: Callable[..., int]):
    """Counts by outcome and by reason, the live snapshot, what waits, how it ended and when."""
    before = time.time()
    assert encode(lambda: finished(store, corrupt=1)) == 0
    samples = read(tmp_path / "encode.prom")
    counts = {"listed": 101, "embedded": 90, "duplicates": 2, "unchanged": 5, "renamed": 3, "removed": 7, "rejected": 1}
    found = {key[1]: value for key, value in samples.items() if key[0] == "firstseen_photos"}
    assert found == {**counts, "updated": 0}
    assert samples["firstseen_rejects", "corrupt"] == 1
    assert samples[("firstseen_exit_code",)] == 0
    assert 0 < samples[("firstseen_duration_seconds",)] < 60
    assert before <= samples[("firstseen_last_run_timestamp_seconds",)] <= time.time()
    assert samples[(metrics.LAST_SUCCESS,)] == samples[("firstseen_last_run_timestamp_seconds",)]
    assert samples[("firstseen_snapshot_number",)] == 1
    assert samples[("firstseen_snapshot_photos",)] == 1_234
    assert samples[("firstseen_snapshot_created_timestamp_seconds",)] == 1_717_113_600
    waiting = [value for key, value in samples.items() if key[0] == "firstseen_waiting_runs"]
    # One of the live encoder; that of the other does not wait, since the other is not newer: nobody switches to it.
    assert waiting == [1]


def test_the_file_is_one_that_prometheus_takes(store: Store, tmp_path: Path, encode: Callable[..., int]):
    """Names of the base unit, each with HELP and TYPE, and the labels of the job on every sample."""
    assert encode(lambda: finished(store, corrupt=1)) == 0
    text = (tmp_path / "encode.prom").read_text("utf-8")
    families = list(text_string_to_metric_families(text))
    assert {family.name for family in families} == set(metrics.METRICS)
    for family in families:
        assert re.fullmatch("firstseen_[a-z_]+", family.name)
        assert not family.name.endswith(("_total", "_count", "_sum", "_bucket", "_info"))
        assert family.type == "gauge"
        assert family.documentation.endswith(".")
        assert f"# HELP {family.name} " in text
        assert f"# TYPE {family.name} gauge" in text
        for sample in family.samples:
            labels = {"archive": "/archive", "store": store.uri, "verb": "encode"}
            assert labels.items() <= sample.labels.items()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TemporaryError("the disk is full"), 75),
        (PublishRaceLostError("somebody was faster"), 6),
        (KeyError("a defect"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_a_failed_run_keeps_the_time_of_the_last_success(
    store: Store, tmp_path: Path, encode: Callable[..., int], error: BaseException, code: int
):
    """What an alert is built on; the exit code says how this one ended, and nothing is said of its photos."""
    assert encode(lambda: finished(store)) == 0
    first = read(tmp_path / "encode.prom")
    for _ in range(2):
        assert encode(fail(error)) == code
        second = read(tmp_path / "encode.prom")
        assert second[(metrics.LAST_SUCCESS,)] == pytest.approx(first[(metrics.LAST_SUCCESS,)], abs=1e-3)
        assert second[("firstseen_last_run_timestamp_seconds",)] > first[("firstseen_last_run_timestamp_seconds",)]
        assert second[("firstseen_exit_code",)] == code
        assert ("firstseen_photos", "listed") not in second
        assert (("firstseen_snapshot_number",) in second) == (code != 130)


def test_too_many_rejects_are_a_run_that_came_to_its_end(store: Store, tmp_path: Path, encode: Callable[..., int]):
    """Its output is usable, and its photos are counted; the exit code says that somebody should look."""
    assert encode(lambda: finished(store, corrupt=50)) == 3
    samples = read(tmp_path / "encode.prom")
    assert samples[("firstseen_exit_code",)] == 3
    assert samples["firstseen_photos", "rejected"] == 50
    assert (metrics.LAST_SUCCESS,) in samples


def test_a_run_that_never_succeeded_has_no_time_of_it(tmp_path: Path, encode: Callable[..., int]):
    """A wrong option counts as a run, too; a damaged earlier file, or another job's, says nothing."""
    for earlier in ("", "{ damaged", f'{metrics.LAST_SUCCESS}{{archive="/other",store="s",verb="encode"}} 1.0\n'):
        (tmp_path / "encode.prom").write_text(earlier)
        assert encode(fail(AssertionError()), "--max-rejects", "3") == 2
        samples = read(tmp_path / "encode.prom")
        assert samples[("firstseen_exit_code",)] == 2
        assert (metrics.LAST_SUCCESS,) not in samples


@pytest.mark.parametrize(
    ("file", "code", "words"),
    [("encode.txt", 2, "does not end in .prom"), ("nowhere/encode.prom", 4, "its folder is missing")],
)
def test_a_place_where_no_metrics_can_lie_is_refused_before_any_work(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture, file: str, code: int, words: str
):
    """node_exporter would pass over the one, and the other could not be written."""
    assert run(["index", "--store", store.uri, "--metrics-file", str(tmp_path / file)]) == code
    assert words in one_error_line(capsys)
    assert not (tmp_path / file).exists()


def test_metrics_that_cannot_be_written_change_no_exit_code(
    store: Store, tmp_path: Path, encode: Callable[..., int], capsys: pytest.CaptureFixture
):
    """The night's work is done: one line says that its figures are not."""
    path = tmp_path / "encode.prom"
    path.mkdir()
    assert encode(lambda: finished(store)) == 0
    assert f"the metrics file {path} was not written: Is a directory" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir() if ".prom" in one.name] == ["encode.prom"]


def test_a_name_that_is_no_text_is_a_label_all_the_same(store: Store, tmp_path: Path):
    """Quotes, line ends and bytes that are not UTF-8 are escaped; the last success is found under them."""
    for code in (0, 1):
        metrics.begin(tmp_path / "x.prom", verb="reindex", store=store.uri, archive='a"b\\\n\udcff')
        metrics.end(code)
    assert {(metrics.LAST_SUCCESS,), ("firstseen_exit_code",)} <= read(tmp_path / "x.prom").keys()


def test_a_command_without_the_option_leaves_nothing(store: Store, tmp_path: Path):
    """One after another that had it, too."""
    metrics.begin(tmp_path / "x.prom", verb="index", store=store.uri)
    metrics.end(0)
    (tmp_path / "x.prom").unlink()
    assert run(["status", "--store", store.uri]) == 0
    assert not (tmp_path / "x.prom").exists()


def test_a_job_that_was_only_translated_is_no_run(store: Store, tmp_path: Path, encode: Callable[..., int]):
    """It ends well and encodes nothing: nights of it must raise the alert of nights that did not happen."""
    translated = fail(TranslatedOnlyError("the job was translated, not run"))
    assert encode(translated) == 0
    assert not (tmp_path / "encode.prom").exists()
    encode(lambda: finished(store))
    before = (tmp_path / "encode.prom").read_bytes()
    assert encode(translated) == 0
    assert (tmp_path / "encode.prom").read_bytes() == before
