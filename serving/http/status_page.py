"""Prepares the page about the store: what is live, what answers, why photos were rejected, and the last runs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from foundation.store.status import OUTCOMES, RunStatus, StoreStatus
from serving.live.state import LiveState
from serving.output.display import printable
from serving.output.wording import day_words

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def status_values(status: StoreStatus, state: LiveState) -> dict[str, Any]:
    """Returns what the template `status.html` takes."""
    live = status.snapshot
    return {
        "store": printable(status.store),
        "is_ready": state.is_ready,
        "answering": state.live,
        "is_behind": live is not None and live.number > state.live,
        "problem": printable(state.problem or ""),
        "refused": [(number, printable(why)) for number, why in sorted(state.refused.items())],
        "queue": state.queue_queries,
        "lists_age": ago(state.lists_age_seconds),
        "live": live and {"number": live.number, "made": _moment(live.created_at), "age": ago(status.age_seconds or 0)},
        "photos": live.photos if live else 0,
        "contents": live.contents if live else 0,
        "encoder": live.encoder_id if live else "",
        "snapshots": status.snapshot_numbers[-10:][::-1],
        "segments": status.segments,
        "lists": status.lists,
        "waiting": len(status.runs_not_indexed),
        "unfinished": list(map(printable, status.unfinished)),
        "damaged": [(printable(name), printable(why)) for name, why in status.damaged.items()],
        "rejects": _rejects(status),
        "runs": [_run(one) for one in status.last_runs],
    }


def ago(seconds: float) -> str:
    """Returns about how long something takes or is ago, in its largest unit."""
    for unit, length in _UNITS:
        if seconds >= length or unit == "second":
            number = int(seconds // length)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    raise AssertionError  # the last unit is taken in any case


def _moment(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return f"{day_words(moment)}, {moment:%H:%M}"


def _rejects(status: StoreStatus) -> list[dict[str, Any]]:
    return [
        {
            "archive": printable(one.archive),
            "reason": one.reason.replace("_", " "),
            "photos": one.photos,
            "photo_id": printable(one.photo_id or ""),
            "detail": printable(one.detail or ""),
        }
        for one in status.rejects
    ]


def _run(run: RunStatus) -> dict[str, Any]:
    rejected = sum(run.accounting.get("rejected", {}).values())
    counts: Iterable[tuple[str, int]] = [(name, run.accounting.get(name) or 0) for name in OUTCOMES]
    told = [f"{number:,} {name}" for name, number in [*counts, ("rejected", rejected)] if number]
    return {"made": _moment(run.created_at), "archive": printable(run.archive), "counts": ", ".join(told)}
