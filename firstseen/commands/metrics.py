"""Writes what a job came to as a file of Prometheus metrics, for the textfile collector of node_exporter.

A cron job has gone when Prometheus asks: what it leaves behind is read instead. Each job has a file of its own.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from firstseen.commands import interruption
from firstseen.commands.streams import tell
from foundation.errors import FirstseenError, InputNotFoundError, TooManyRejectsError, UsageError

if TYPE_CHECKING:
    from foundation.store.runs import Accounting

SUFFIX = ".prom"
LAST_SUCCESS = "firstseen_last_success_timestamp_seconds"
# Name, what is measured, and its labels beside those of the job. Names are part of what users build alerts upon.
METRICS: dict[str, tuple[str, tuple[str, ...]]] = {
    "firstseen_last_run_timestamp_seconds": ("When the last run of this job ended, as Unix time.", ()),
    LAST_SUCCESS: ("When a run of this job last came to its end (exit code 0 or 3), as Unix time.", ()),
    "firstseen_exit_code": ("Exit code of the last run; README.md says what each means.", ()),
    "firstseen_duration_seconds": ("How long the last run took.", ()),
    "firstseen_photos": ("Photos that the last run listed, by what became of them.", ("outcome",)),
    "firstseen_rejects": ("Photos that the last run could not use, by reason.", ("reason",)),
    "firstseen_snapshot_number": ("Number of the live snapshot after the last run.", ()),
    "firstseen_snapshot_created_timestamp_seconds": ("When the live snapshot was published, as Unix time.", ()),
    "firstseen_snapshot_photos": ("Photos in the live snapshot.", ()),
    "firstseen_waiting_runs": ("Finished runs that the live snapshot does not hold, by encoder.", ("encoder",)),
}


@dataclass
class Job:
    """One command that leaves a metrics file, and what it has found out so far."""

    path: Path
    labels: dict[str, str]
    started: float = field(default_factory=time.monotonic)
    accounting: "Accounting | None" = None


_job: Job | None = None


def begin(path: Path | None, *, verb: str, store: str, archive: str = "") -> None:
    """Says where the command that runs now leaves its metrics when it ends, if anywhere.

    Raises UsageError or InputNotFoundError if no file of metrics can be written there.
    """
    global _job
    if path is None:
        return
    if path.suffix != SUFFIX:
        raise UsageError(f"--metrics-file {path} does not end in {SUFFIX}; node_exporter reads no other files")
    if not os.access(path.parent, os.W_OK):
        raise InputNotFoundError(f"--metrics-file {path}: its folder is missing or cannot be written; make it first")
    # A path of an archive need not be text, and Prometheus takes nothing else.
    named = {"archive": archive, "store": store, "verb": verb}
    _job = Job(path, {name: value.encode(errors="backslashreplace").decode() for name, value in named.items()})


def count(accounting: "Accounting") -> None:
    """Notes what became of the photos of the command's run."""
    if _job:
        _job.accounting = accounting


def forget() -> None:
    """Leaves the file as it was: the command that runs now turned out to be no run, and no success."""
    global _job
    _job = None


def end(exit_code: int) -> None:
    """Writes the metrics of the command that has just ended; what stands in the way is told, and changes no exit code.

    The time of the last success stays that of the earlier file, if this run failed.
    """
    global _job
    if _job is None:
        return
    job, _job = _job, None
    try:
        _write(job, _measure(job, exit_code))
    except OSError as error:
        tell(f"the metrics file {job.path} was not written: {error.strerror}; check the folder", level="warning")


def _measure(job: Job, exit_code: int) -> dict[str, dict[str, float]]:
    """Returns the values of each metric, by its own label, or under "" where it has none."""
    from foundation.store.status import OUTCOMES

    now = time.time()
    finished = exit_code in (0, TooManyRejectsError.exit_code)
    success = now if finished else _last_success(job)
    values: dict[str, dict[str, float]] = {
        "firstseen_last_run_timestamp_seconds": {"": now},
        "firstseen_exit_code": {"": exit_code},
        "firstseen_duration_seconds": {"": time.monotonic() - job.started},
    }
    if success is not None:
        values[LAST_SUCCESS] = {"": success}
    if job.accounting:
        outcomes = {name: getattr(job.accounting, name) for name in OUTCOMES}
        values["firstseen_photos"] = {**outcomes, "rejected": job.accounting.rejects}
        values["firstseen_rejects"] = dict(job.accounting.rejected)
    # Whoever interrupts a command waits three seconds for its end, in which a bucket need not answer.
    return values if exit_code == interruption.EXIT_CODE else values | _measure_store(job.labels["store"])


def _measure_store(uri: str) -> dict[str, dict[str, float]]:
    from foundation.store.files import Store
    from foundation.store.status import read_status

    try:
        status = read_status(Store(uri))
    except FirstseenError:
        return {}  # it may be what the command failed by, which was told
    waiting: dict[str, float] = {name: len(runs) for name, runs in status.waiting.items() if status.may_switch_to(name)}
    values: dict[str, dict[str, float]] = {"firstseen_waiting_runs": waiting}
    if live := status.snapshot:
        created = datetime.fromisoformat(live.created_at).timestamp()
        values["firstseen_snapshot_number"] = {"": live.number}
        values["firstseen_snapshot_created_timestamp_seconds"] = {"": created}
        values["firstseen_snapshot_photos"] = {"": live.photos}
    return values


def _last_success(job: Job) -> float | None:
    """Returns what the earlier file says; None without one, or if it is another job's or damaged."""
    from prometheus_client.parser import text_string_to_metric_families

    try:
        for family in text_string_to_metric_families(job.path.read_text("utf-8")):
            for sample in family.samples:
                if (sample.name, sample.labels) == (LAST_SUCCESS, job.labels):
                    return sample.value
    except (OSError, ValueError):
        pass
    return None


def _write(job: Job, values: Mapping[str, Mapping[str, float]]) -> None:
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    from foundation.files import finished_file

    registry = CollectorRegistry()
    for name, by_label in values.items():
        meaning, own = METRICS[name]
        gauge = Gauge(name, meaning, [*job.labels, *own], registry=registry)
        for label, value in by_label.items():
            gauge.labels(**job.labels, **dict.fromkeys(own, label)).set(value)
    # The collector may look at any moment, and would report half a file.
    with finished_file(job.path) as partial:
        write_to_textfile(str(partial), registry)
