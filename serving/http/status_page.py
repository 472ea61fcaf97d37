"""Prepares the page about the store: what is live, what answers, why photos were rejected, and the last runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from foundation.store.status import OUTCOMES
from serving.live.state import LiveState
from serving.output.display import printable
from serving.output.reject_words import words_of
from serving.output.wording import moment_words

SHOWN_SNAPSHOTS = 10
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def status_values(status: Mapping[str, Any], state: LiveState) -> dict[str, Any]:
    """Returns what the template `status.html` takes of what GET /v1/status says."""
    live = status["snapshot"]
    return {
        "store": printable(status["store"]),
        "is_ready": state.is_ready,
        "answering": state.live,
        "is_behind": live is not None and live["number"] > state.live,
        "problem": printable(state.problem or ""),
        "refused": [(number, printable(why)) for number, why in sorted(state.refused.items())],
        "queue": state.queue_queries,
        "lists_age": ago(state.lists_age_seconds),
        "live": live,
        "published": live and f"{_moment(live['created_at'])}, {ago(status['age_seconds'] or 0)} ago",
        "snapshots": status["snapshot_numbers"][-SHOWN_SNAPSHOTS:][::-1],
        "segments": list(map(_segment, status["segments"])),
        "lists": status["lists"],
        "waiting": len(status["runs_not_indexed"]),
        "unfinished": list(map(printable, status["unfinished"])),
        "damaged": [(printable(name), printable(why)) for name, why in status["damaged"].items()],
        "rejects": list(map(_reject, status["rejects"])),
        "runs": list(map(_run, status["last_runs"])),
    }


def ago(seconds: float) -> str:
    """Returns about how long something takes or is ago, in its largest unit."""
    for unit, length in _UNITS:
        if seconds >= length or unit == "second":
            number = int(seconds // length)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    raise AssertionError  # the last unit is taken in any case


def _moment(text: str) -> str:
    return moment_words(datetime.fromisoformat(text))


def _reject(one: Mapping[str, Any]) -> dict[str, Any]:
    words = {name: printable(one[name] or "") for name in ("archive", "photo_id", "detail")}
    return {**words, "reason": words_of(one["reason"]).said, "photos": one["photos"]}


def _segment(one: Mapping[str, Any]) -> list[str]:
    """Returns the row of a segment: name, photos, kind, day, and whether it keeps what copies are proved by."""
    proof = "yes" if one["local"] else "no"
    return [one["segment_id"], f"{one['photos']:,}", one["kind"], one["created_at"][:10], proof]


def _run(run: Mapping[str, Any]) -> list[str]:
    """Returns the row of a run: when it was made, of which archive, and what became of its photos."""
    accounting = run["accounting"]
    counts = {name: accounting.get(name) or 0 for name in OUTCOMES}
    counts["rejected"] = sum((accounting.get("rejected") or {}).values())
    told = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    return [_moment(run["created_at"]), printable(run["archive"]), told]
