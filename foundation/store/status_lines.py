"""Words the status of a store: as lines for a person, and as one JSON object that says the same."""

from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from foundation.store.due import list_due, next_command
from foundation.store.segments import Segment
from foundation.store.status import OUTCOMES, RejectStatus, RunStatus, StoreStatus
from foundation.wording import number_of, spelled_out

UNITS = {"day": 86_400, "hour": 3_600, "minute": 60}


def to_object(status: StoreStatus) -> dict[str, Any]:
    """Returns the status as JSON has it."""
    due = [asdict(one) for one in list_due(status)]
    return {**asdict(status), "newest_encoder": status.newest_encoder, "due": due, "next": next_command(status)}


def describe(status: StoreStatus, *, now: datetime | None = None) -> list[str]:
    """Returns the status as lines for a person, the last one naming the next command."""
    lines = [
        f"store      {status.store}",
        *_describe_snapshot(status),
        *(line for one in status.segments for line in _describe_segment(one)),
        *(f"encoder    {name}: {_describe_encoder(status, name)}" for name in status.encoders),
        *(f"run        {_describe_run(one, now or datetime.now(timezone.utc))}" for one in status.last_runs),
        *([f"           {number_of(status.unread, 'older run')} not looked at"] if status.unread else []),
        *(f"rejected   {_describe_reject(one)}" for one in status.rejects),
        *_describe_lists(status),
    ]
    lines += [f"due        {one.what}" + (f": {one.command}" if one.command else "") for one in list_due(status)]
    return [*map(spelled_out, lines), f"next: {next_command(status)}"]


def age(seconds: float) -> str:
    """Returns how long ago something was, in its largest whole unit."""
    if seconds < 0:
        return "in the future, by the clock of this machine"
    unit = next((name for name in UNITS if seconds >= UNITS[name]), None)
    return f"{number_of(int(seconds // UNITS[unit]), unit)} ago" if unit else "less than a minute ago"


def _describe_snapshot(status: StoreStatus) -> list[str]:
    live = status.snapshot
    if live is None or status.age_seconds is None:
        return ["snapshot   none yet"]
    when = f"{live.created_at}, {age(status.age_seconds)}"
    lines = [
        f"snapshot   {live.number} of {when} ({live.reason}), of {len(status.snapshot_numbers)} in all",
        f"photos     {live.photos:,} in {live.contents:,} contents",
    ]
    lines += [
        f"archive    {name}: {state.photos:,} photos, as of run {state.run_id}" for name, state in live.archives.items()
    ]
    if live.left_out:
        lines.append(f"left out   {', '.join(live.left_out)}; index --take-up RUN takes one up again")
    return lines


def _describe_segment(segment: Segment) -> list[str]:
    found = f"{segment.kind} search, recall@10 {segment.recall_at_10:.3f}"
    lines = [f"segment    {segment.segment_id}: {segment.rows:,} contents, {found}"]
    if local := segment.local:
        photos = max(1, local.rows)
        lines.append(
            f"           {local.features:,} local features of {local.rows:,} contents, recall {local.recall:.3f}; "
            f"{segment.local_search_bytes / photos / 1e3:.1f} KB a photo for search and "
            f"{segment.local_verification_bytes / photos / 1e3:.1f} KB for comparing"
        )
    return lines


def _describe_encoder(status: StoreStatus, name: str) -> str:
    live = status.snapshot.encoder_id if status.snapshot else None
    waiting = len(status.waiting.get(name, []))
    words = ["live"] if name == live else []
    words.append(number_of(status.runs_by_encoder.get(name, 0), "run"))
    if waiting:
        words.append(f"{waiting:,} not indexed" if live in (name, None) else f"{waiting:,} not in the live snapshot")
    if live and name != live:
        words.append("newer than the live one" if status.is_newer(name) else "not newer than the live one")
    elif not live and len(status.encoders) > 1 and name == status.newest_encoder:
        words.append("the newest")
    return ", ".join(words)


def _describe_run(run: RunStatus, now: datetime) -> str:
    when = age((now - datetime.fromisoformat(run.created_at)).total_seconds())
    counts = {name: run.accounting[name] for name in OUTCOMES}
    counts["rejected"] = sum(run.accounting["rejected"].values())
    listed = counts.pop("listed")
    became = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    return f"{run.run_id} of {run.archive}, {when}: {listed:,} listed" + (f": {became}" if became else "")


def _describe_lists(status: StoreStatus) -> list[str]:
    standing = [f"{number:,} {name}" for name, number in status.lists.items() if number]
    return [f"lists      {', '.join(standing)}"] if standing else []


def _describe_reject(reject: RejectStatus) -> str:
    example = f", such as {reject.photo_id} ({reject.detail})" if reject.photo_id else ""
    return f"{reject.photos:,} of {reject.archive} {reject.reason}{example}"
