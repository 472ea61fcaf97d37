"""Stands in for what `serving.batch` does: no photo is decoded and no segment opened, and every call is counted."""

import hashlib
import os
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foundation.photos.rejects import PhotoError
from pipelines.lookup import answer_chunk, fetch_group, job, merge_chunk, prepare_chunk, search_group, worker
from serving.answers import Answer
from serving.match.match import Outcome

# What a photo's bytes begin with if it needs a closer look, and if no decoder takes it.
CLOSE, CORRUPT = b"close", b"corrupt"


class Pickled:
    """A part that is written as it is."""

    def write(self, path: Path) -> None:
        """Writes it."""
        path.write_bytes(pickle.dumps(self))

    @classmethod
    def read(cls, path: Path) -> Any:
        """Reads what `write` wrote."""
        return pickle.loads(path.read_bytes())  # noqa: S301 (written by this test)


@dataclass
class Asked:
    """A query that asks for something."""

    number: int
    content: bytes
    data: bytes


@dataclass
class Prepared(Pickled):
    """A chunk of queries."""

    names: Sequence[str]
    outcomes: dict[int, Outcome]
    known: dict[int, bytes]
    asked: list[Asked]
    is_close: bool = False


@dataclass
class Found(Pickled):
    """Which segments were searched, for how many queries."""

    segments: list[int]


@dataclass
class Answered(Pickled):
    """The answers of a chunk."""

    answers: dict[int, list[Answer]]
    unsettled: Sequence[int]
    known: dict[int, bytes]
    shown: dict[int, list[bytes]]

    def with_closer(self, closer: "Answered") -> "Answered":
        """Returns both."""
        return Answered(self.answers | closer.answers, (), self.known, self.shown | closer.shown)


@dataclass
class Pictures(Pickled):
    """No pictures."""


@dataclass
class Calls:
    """What was called: queries that were decoded, by content; groups that were opened; and what answers are made of.

    `hook` is called with the name of each step before it is done.
    """

    decoded: Counter[bytes] = field(default_factory=Counter)
    opened: list[list[int]] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)
    processes: set[int] = field(default_factory=set)
    match: Callable[[bytes], bytes] = lambda content: content
    hook: Callable[[str], None] = lambda step: None

    def step(self, name: str) -> None:
        """Counts a step."""
        self.steps[name] += 1
        self.hook(name)


class Segments:
    """A group of segments that is open."""

    def __init__(self, numbers: Sequence[int]):
        self.numbers = list(numbers)

    def refresh(self) -> None:
        """Does nothing."""

    def __enter__(self) -> "Segments":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def make_batch(patch: pytest.MonkeyPatch) -> Calls:
    """Puts the stand-ins in place; returns what they count."""
    calls = Calls()

    def prepare(queries: Sequence[Any], _encoder: object, *, known: Callable[[bytes], bool], call: Any, **_: object):
        calls.step("prepare")
        calls.processes = calls.processes or {call(os.getpid)}
        made = Prepared([one.name for one in queries], {}, {}, [])
        for number, query in enumerate(queries):
            try:
                data = query.read()
            except PhotoError as error:
                made.outcomes[number] = Outcome(query.name, "rejected", f"{error.reason}: {error}")
                continue
            content = hashlib.sha256(data).digest()
            if known(content):
                made.known[number] = content
                continue
            calls.decoded[data] += 1
            if data.startswith(CORRUPT):
                made.outcomes[number] = Outcome(query.name, "rejected", "corrupt: it is")
            else:
                made.asked.append(Asked(number, content, data))
        return made, Pictures()

    def search(segments: Segments, prepared: Prepared, **_: object) -> Found:
        calls.step("search")
        assert prepared.asked
        return Found(segments.numbers)

    def merge(found: Sequence[Found]) -> Found:
        return Found(sorted(number for one in found for number in one.segments))

    def choose(_prepared: Prepared, found: Found, **_: object) -> Found:
        calls.step("choose")
        return found

    def fetch(segments: Segments, _wanted: Found, _told: None) -> Found:
        calls.step("fetch")
        return Found(segments.numbers)

    def answer(
        prepared: Prepared, _pictures: Pictures, wanted: Found, fetched: Found, *, described, lists, **_: object
    ):
        calls.step("answer")
        # Each segment was searched once and asked once, whatever the groups.
        assert wanted.segments == fetched.segments == list(range(len(described.segments)))
        answers, shown, unsettled = {}, {}, []
        for one in prepared.asked:
            if one.data.startswith(CLOSE) and not prepared.is_close:
                unsettled.append(one.number)
                continue
            content, name = calls.match(one.content), prepared.names[one.number]
            is_shown = content.rstrip(b"\0") not in lists.all().tolist()
            common = {"query": name, "snapshot": described.snapshot.number, "encoder": "made"}
            shown[one.number] = [content] if is_shown else []
            match = {"status": "matched", "photo_id": content.hex()} if is_shown else {"status": "no_match"}
            answers[one.number] = [Answer(**common, **match)]
        for number, outcome in prepared.outcomes.items():
            status = {"status": outcome.status, "reason": outcome.reason}
            answers[number] = [
                Answer(query=outcome.query, snapshot=described.snapshot.number, encoder="made", **status)
            ]
        return Answered(answers, unsettled, {} if prepared.is_close else prepared.known, shown)

    def closer(
        prepared: Prepared, _pictures: Pictures, _wanted: Found, unsettled: Sequence[int], **_: object
    ) -> Prepared:
        calls.step("closer")
        asked = [one for one in prepared.asked if one.number in unsettled]
        return Prepared(prepared.names, {}, {}, asked, is_close=True)

    def open_segments(_store: object, _described: object, numbers: Sequence[int], **_: object) -> Segments:
        calls.opened.append(list(numbers))
        return Segments(numbers)

    for module in (prepare_chunk, search_group, merge_chunk, fetch_group, answer_chunk):
        for name, kind in {"Prepared": Prepared, "Pictures": Pictures, "Found": Found, "Wanted": Found}.items():
            patch.setattr(module, name, kind, raising=False)
        patch.setattr(module, "Fetched", Found, raising=False)
        patch.setattr(module, "Answered", Answered, raising=False)
    from pipelines.lookup import in_order

    patch.setattr(in_order, "Answered", Answered)
    for module, made in (
        (prepare_chunk, {"prepare": prepare}),
        (search_group, {"search": search}),
        (merge_chunk, {"merge_found": merge, "choose": choose}),
        (fetch_group, {"fetch": fetch, "tell": lambda _segments, _wanted: None}),
        (answer_chunk, {"answer": answer, "closer": closer, "merge_fetched": merge}),
    ):
        for name, function in made.items():
            patch.setattr(module, name, function)
    patch.setattr(worker, "OpenSegments", open_segments)
    patch.setattr(worker.Worker, "encoder", None)
    patch.setattr(job, "find_gone", lambda *_: np.empty(0, "S32"))
    return calls


def settled(iterator: Iterator[Any]) -> list[Any]:
    """Returns all of it."""
    return list(iterator)
