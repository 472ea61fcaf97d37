"""Evaluates the product on edited copies: plans, makes the queries, builds an archive, asks, measures, compares."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from evaluation.copies import failures
from evaluation.copies.archive_folder import first_published, write_archive
from evaluation.copies.edits import right_verdicts
from evaluation.copies.made_edits import list_made_edits
from evaluation.copies.make_queries import write_queries
from evaluation.copies.measure import Asked, by_group, detection, false_alarms_at_precision, measure
from evaluation.copies.methods import Method, encoder_method, plain_methods, search
from evaluation.copies.photos import list_photos
from evaluation.copies.plan import CopiesOptions, CopyQuery, Plan, make_plan, seed_of
from evaluation.copies.product import Built, ask, build, require_apart
from evaluation.copies.result import RESULTS, ArchiveResult, CopiesResult, KeptPicture, MethodResult
from evaluation.copies.workplace import Workplace
from foundation.encoder import load
from foundation.files import replace_file
from foundation.store import artifact
from foundation.store.encoder_choice import choose_encoder
from foundation.store.files import Store
from foundation.store.snapshots import live_snapshot

PRODUCT = "firstseen"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Encoders:
    """The encoder to evaluate and those to compare it with, all of one store; without a store, the default one."""

    store: Store | None = None
    encoder: str | None = None
    compared: tuple[str, ...] = ()

    @property
    def chosen(self) -> tuple[Store, str] | None:
        """The store and the id of the encoder to evaluate, None for the default one."""
        if self.store is None:
            return None
        return self.store, choose_encoder(self.store, self.encoder, live_snapshot(self.store))[0].encoder_id


def evaluate_copies(
    options: CopiesOptions, encoders: Encoders, *, output: Path, work_dir: Path, tell: Tell
) -> CopiesResult:
    """Runs the evaluation and writes `results.json` and its pictures into `output`; returns the results.

    Calls `tell(line)` before each step. Queries, stores and compared methods that lie in the work directory, made by
    the same code of the same photos, are used again. Raises what `make_plan`, `encode`, `build_index` and `Searcher`
    raise.
    """
    plan = plan_of(options, tell)
    place = Workplace(work_dir, plan, options.seed)
    paths = write_queries(plan, place.queries, seed=options.seed, tell=tell)
    write_archive(plan, place.archive, place.catalog)
    built = _build(place, options, encoders, tell)
    require_apart(plan, built)
    asked, archives = _ask_all(place, built, paths, tell)
    drawn = failures.draw(asked, plan, dict(zip(plan.queries, paths, strict=True)))
    methods = [_product_method(archives[0], asked), *_compare(place, paths, built, encoders, tell)]
    result = CopiesResult(
        created_at=artifact.now(),
        encoder_id=built.snapshots[0].encoder_id,
        settings=_settings(options, plan),
        archives=archives,
        build=built.costs,
        methods=methods,
        pictures=[KeptPicture(name=one.name, alt=one.alt, caption=one.caption) for one in drawn],
        versions=artifact.versions_of("firstseen", "numpy", "opencv-python-headless", "scann", "tensorflow-cpu"),
    )
    for picture in drawn:
        replace_file(output / picture.name, picture.png)
    replace_file(output / RESULTS, artifact.to_json(result))
    return result


def plan_of(options: CopiesOptions, tell: Tell) -> Plan:
    """Reads the photos and returns the plan of the evaluation."""
    return make_plan(
        options,
        list_photos(options.photos, tell=tell),
        right_verdicts(),
        scenes=list_photos(options.scenes, tell=tell) if options.scenes else (),
        made=list_made_edits(options.made_edits, tell=tell) if options.made_edits else {},
        shown=list_photos(options.pictures, tell=tell) if options.pictures else (),
    )


def _build(place: Workplace, options: CopiesOptions, encoders: Encoders, tell: Tell) -> Built:
    chosen = encoders.chosen
    tell(f"encoding and indexing with {chosen[1] if chosen else 'the default encoder'}")
    archives: list[tuple[str, Path | None]] = [(str(place.archive), place.catalog)]
    if options.distractors:
        archives.append((options.distractors, None))
    return build(place.store(chosen[1] if chosen else "", options.distractors), archives, encoder=chosen)


def _ask_all(
    place: Workplace, built: Built, paths: Sequence[Path], tell: Tell
) -> tuple[list[Asked], list[ArchiveResult]]:
    """Asks every query of each snapshot; returns the answers of the first one, and the results of all."""
    plan, dates = place.plan, first_published(place.plan)
    asked, archives = [], []
    for snapshot in built.snapshots:
        tell(f"asking {len(paths):,} queries of {snapshot.contents:,} photos")
        answered, costs = ask(built.store, snapshot, paths, tell=tell)
        asked.append(list(zip(plan.queries, answered, strict=True)))
        archives.append(measure(asked[-1], photos=snapshot.contents, dates=dates, costs=costs))
        lines = (json.dumps({"query": query.name, **asdict(one)}, default=str) for query, one in asked[-1])
        replace_file(place.answers(snapshot.contents), "\n".join(lines).encode())
    return asked[0], archives


def _compare(
    place: Workplace, paths: Sequence[Path], built: Built, encoders: Encoders, tell: Tell
) -> Iterator[MethodResult]:
    """Yields the result of each other method; those that were measured before are read."""
    asked = [
        (query, path)
        for query, path in zip(place.plan.queries, paths, strict=True)
        if query.group in ("copy", "negative")
    ]
    archive = [place.archive / f"{one.key}{one.suffix}" for one in place.plan.archive]
    for method in _methods(built, encoders):
        kept = place.method(method.name)
        if not kept.exists():
            tell(f"comparing with {method.title}")
            result = compare(method, archive, _some(asked, method.most_queries, place.seed))
            replace_file(kept, artifact.to_json(result))
        yield TypeAdapter(MethodResult).validate_json(kept.read_bytes())


def _methods(built: Built, encoders: Encoders) -> Iterator[Method]:
    live = built.snapshots[0]
    yield encoder_method(load(built.store, live.encoder_id), title=f"global vector alone ({live.encoder_id})")
    for encoder_id in encoders.compared:
        if encoders.store is not None and encoder_id != live.encoder_id:
            yield encoder_method(load(encoders.store, encoder_id), title=encoder_id)
    yield from plain_methods()


def _some(asked: Sequence[tuple[CopyQuery, Path]], most: int | None, seed: int) -> list[tuple[CopyQuery, Path]]:
    """Returns the queries, or so many of them, drawn by their names."""
    if most is None or len(asked) <= most:
        return list(asked)
    return sorted(asked, key=lambda one: seed_of(seed, "some", one[0].name))[:most]


def compare(method: Method, archive: Sequence[Path], asked: Sequence[tuple[CopyQuery, Path]]) -> MethodResult:
    """Returns how one method does with the queries, each given with its file."""
    answered, query_ms = search(method, archive, [path for _, path in asked])
    pairs = [(query, one) for (query, _), one in zip(asked, answered, strict=True)]
    return _method_result(pairs, method.name, method.title, query_ms=query_ms, photo_bytes=method.photo_bytes)


def _product_method(archive: ArchiveResult, asked: Sequence[Asked]) -> MethodResult:
    costs = archive.costs
    photo_bytes = costs.search_bytes + costs.verification_bytes + costs.table_bytes
    return _method_result(asked, PRODUCT, PRODUCT, query_ms=costs.batch_ms, photo_bytes=photo_bytes)


def _method_result(
    asked: Sequence[Asked], name: str, title: str, *, query_ms: float, photo_bytes: float
) -> MethodResult:
    groups = by_group(asked)
    return MethodResult(
        name=name,
        title=title,
        detection=detection(groups["copy"], groups["negative"]),
        false_alarms_per_1000=false_alarms_at_precision(groups["copy"], groups["negative"]),
        query_ms=query_ms,
        photo_bytes=photo_bytes,
    )


def _settings(options: CopiesOptions, plan: Plan) -> dict[str, int | str]:
    """Returns what a reader of the page needs to know; no names of folders, which say nothing elsewhere."""
    return {
        "seed": options.seed,
        "per_kind": options.per_kind,
        "archive": len(plan.archive),
        "negatives": len(plan.negatives),
        "scene_queries": len(plan.scenes),
        "made_edits": len(plan.made),
        "plan": plan.digest,
    }
