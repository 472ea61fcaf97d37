"""Counts what the service does, for Prometheus: requests here, and what the engine tells as its observer."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from serving.live.observer import Swap
from serving.match.match import Outcome

if TYPE_CHECKING:
    from serving.live.live_searcher import LiveSearcher

# From the 2 ms of a search to the half minute after which a query is given up.
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
# Statuses of requests that were well-formed and not answered: somebody should know how many.
_REFUSED = (401, 403, 408, 413, 429, 503)


class Metrics:
    """The metrics of one service, and an observer of its engine; threads may share it."""

    def __init__(self) -> None:
        # Without this there is one more line for each counter: when it was made.
        disable_created_metrics()
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "firstseen_serve_requests", "Requests that were answered.", ["route", "status"], registry=registry
        )
        self._request_seconds = _seconds("request", "From the header of a request to its answer.", "route", registry)
        self._queries = Counter(
            "firstseen_serve_queries", "Queries by what they came to.", ["status"], registry=registry
        )
        self._rejects = Counter(
            "firstseen_serve_rejects", "Queries that could not be used, by why.", ["reason"], registry=registry
        )
        self._stage_seconds = _seconds("stage", "Stages; of a batch: encode, search.", "stage", registry)
        self._batch = Histogram(
            "firstseen_serve_batch_queries",
            "Queries that the encoder took together.",
            registry=registry,
            buckets=_SIZES,
        )
        self._refused = Counter(
            "firstseen_serve_refused", "Requests that were not answered, by why.", ["reason"], registry=registry
        )
        self._swaps = Counter(
            "firstseen_serve_swaps", "New snapshots: swapped, refused or failed.", ["result"], registry=registry
        )
        # Prometheus sees no increase in a series that begins with 1: the first refusal would alert nobody.
        for result in get_args(Swap):
            self._swaps.labels(result)

    def watch(self, live: "LiveSearcher") -> None:
        """From now on the state of the searcher is among the metrics."""
        self._registry.register(_State(live))

    def answered(self, route: str, status: int, seconds: float, reason: str | None) -> None:
        """Counts a request; `reason` is the word of its problem, if it has one."""
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)
        # A stream has begun with 200 when anything of it fails.
        if reason and (status in _REFUSED or status == 200):
            self._refused.labels(reason).inc()

    def stage(self, name: str, seconds: float) -> None:
        """Counts a stage of a query or of a batch."""
        self._stage_seconds.labels(name).observe(seconds)

    def batch(self, size: int) -> None:
        """Counts a batch."""
        self._batch.observe(size)

    def outcome(self, outcome: Outcome) -> None:
        """Counts a query, of one that was rejected also the word that its reason begins with.

        The engine tells of those that came to it.
        """
        self._queries.labels(outcome.status).inc()
        if outcome.status == "rejected":
            self._rejects.labels((outcome.reason or "").partition(":")[0]).inc()

    def swap(self, result: str) -> None:
        """Counts a new snapshot."""
        self._swaps.labels(result).inc()

    def text(self) -> bytes:
        """Returns all metrics as Prometheus reads them."""
        return generate_latest(self._registry)


class _State(Collector):
    """Asks the searcher how it stands whenever the metrics are read."""

    def __init__(self, live: "LiveSearcher"):
        self._live = live

    def describe(self) -> list[Metric]:
        """Names nothing, so that nothing is asked when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yields the gauges."""
        state = self._live.state()
        with self._live.hold() as held:
            created_at = datetime.fromisoformat(held.snapshot.created_at)
        for name, told, value in (
            ("ready", "1 if lookups are answered.", float(state.is_ready)),
            ("snapshot_number", "The snapshot that answers.", state.live),
            ("snapshot_created_timestamp_seconds", "When it was published.", created_at.timestamp()),
            ("snapshots_loaded", "Snapshots in memory.", len(state.loaded)),
            ("queue_queries", "Queries in the hands of the engine.", state.queue_queries),
            ("lists_age_seconds", "Since when retractions and ignored photos are known.", state.lists_age_seconds),
        ):
            yield GaugeMetricFamily(f"firstseen_serve_{name}", told, value=value)


def _seconds(what: str, told: str, label: str, registry: CollectorRegistry) -> Histogram:
    return Histogram(f"firstseen_serve_{what}_seconds", told, [label], registry=registry, buckets=_SECONDS)
