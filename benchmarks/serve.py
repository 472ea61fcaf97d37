"""Answers over HTTP: photos per second and waiting by the number of clients, overload, swaps, bad clients, takedowns.

    python -m benchmarks.serve [--folder FOLDER] [--photos 100000] [--only clients] [--soak MINUTES]

A store of so many photos with local features is made of what `benchmarks.scale` has prepared in its folder, and 50
everyday edits of photos that it holds are looked up. Server and clients share the machine; every client sends one photo
a request. The store is not touched: what is published and withdrawn goes into a copy, whose large files are links.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from benchmarks.results import machine, write_section
from benchmarks.scaled.figures import FOLDER
from benchmarks.scaled.looked_up import made_queries, made_store
from benchmarks.served.bad_clients import open_bad
from benchmarks.served.in_process import ONE_BY_ONE
from benchmarks.served.load import Client, Load, ask_at_rate, ask_by_clients, photos_of
from benchmarks.served.server import Server, running
from foundation.store.files import Store
from foundation.store.snapshots import read_snapshot

# Three batches of the matcher.
IN_PROCESS_PHOTOS = 192
# The queue holds 128 queries: twice the capacity fills it in half a minute, and what waits is then refused.
OVERLOAD_SECONDS = 90.0
CLIENTS = (1, 2, 4, 8, 16, 32)
# Of each kind of bad client: 200 in all.
BAD_CLIENTS = 50
# A bad connection that is open for longer was not closed.
BAD_SECONDS = 60.0
SWAPS = 30
NORMAL_CLIENTS = 2


@dataclass
class Benchmark:
    """One store, the photos that are asked for, a folder for what is made on the way, and how long each load lasts."""

    store: Path
    photos: Path
    folder: Path
    seconds: float
    rounds: int
    soak_minutes: float

    def __post_init__(self) -> None:
        self.asked = photos_of(self.photos)
        self.log = self.folder / "serve.log"

    def in_process(self) -> dict[str, float]:
        """Returns what the matcher reaches without a server."""
        command = [sys.executable, "-m", "benchmarks.served.in_process", self.store, self.photos, IN_PROCESS_PHOTOS]
        return json.loads(subprocess.check_output(list(map(str, command)), text=True))  # noqa: S603 (this program)

    def copy(self) -> Path:
        """Returns a copy of the store that may be written to; its segments are links to the store's."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.store, copy, copy_function=os.link)
        return copy


def clients_and_overload(benchmark: Benchmark) -> list[str]:
    """Returns the section about the number of clients, and about more requests than can be answered."""
    lines, capacity = throughput(benchmark)
    return [*lines, "", *overload(benchmark, capacity)]


def throughput(benchmark: Benchmark) -> tuple[list[str], float]:
    """Returns the section about clients, and the best rate that was reached."""
    own, alone_served, loads = [], [], {clients: [] for clients in CLIENTS}
    for _ in range(benchmark.rounds):
        own.append(benchmark.in_process())
        with running(benchmark.store, benchmark.log) as server:
            ask_by_clients(server.port, benchmark.asked, clients=4, seconds=benchmark.seconds / 4)
            client = Client(server.port)
            # The same photos as in process: some take ten times as long as others.
            alone_served.append(
                median_ms([client.ask(photo).seconds for photo in islice(cycle(benchmark.asked), ONE_BY_ONE)])
            )
            for clients in CLIENTS:
                loads[clients].append(
                    ask_by_clients(server.port, benchmark.asked, clients=clients, seconds=benchmark.seconds)
                )
            peak = server.peak_mb
    alone = statistics.median(one["photos_per_second"] for one in own)
    single = statistics.median(one["single_p50_ms"] for one in own)
    lines = [
        f"In process {alone:.1f} photos/s in batches, {single:.0f} ms a photo one by one (median). Peak {peak:.0f} MB.",
        "",
        "| clients | photos/s | of in process | p50 ms | p95 ms | p99 ms | failed |",
        "|---|---|---|---|---|---|---|",
    ]
    for clients, some in loads.items():
        rate = statistics.median(load.rate for load in some)
        milliseconds = [
            statistics.median(column) for column in zip(*(load.ms(50, 95, 99) for load in some), strict=True)
        ]
        failed = sum(len(load.replies) - len(load.good) for load in some)
        lines.append(
            row(clients, f"{rate:.1f}", f"{rate / alone:.2f}", *(f"{one:.0f}" for one in milliseconds), failed)
        )
    served = statistics.median(alone_served)
    lines += [
        "",
        f"{ONE_BY_ONE} photos, one after the other, take {served:.0f} ms each (median), {served - single:+.0f} ms "
        + "beside the same ones in process.",
    ]
    return lines, max(statistics.median(load.rate for load in some) for some in loads.values())


def overload(benchmark: Benchmark, capacity: float) -> list[str]:
    """Returns the section about twice as many requests as can be answered."""
    with running(benchmark.store, benchmark.log) as server:
        load = ask_at_rate(server.port, benchmark.asked, per_second=2 * capacity, seconds=OVERLOAD_SECONDS)
    p50, p99 = load.ms(50, 99)
    return [
        f"Twice the capacity, {2 * capacity:.0f} requests/s for {OVERLOAD_SECONDS:.0f} s: {told(load)}; answered "
        f"{load.rate:.1f}/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms after they were due."
    ]


def swaps(benchmark: Benchmark) -> list[str]:
    """Returns the section about snapshots that are published under load."""
    store = benchmark.copy()
    live = read_snapshot(Store(str(store)), None).number
    with running(store, benchmark.log, "--snapshot-poll-seconds", "0.5") as server:
        before = ask_by_clients(server.port, benchmark.asked, clients=NORMAL_CLIENTS, seconds=benchmark.seconds)
        ended = threading.Event()
        publisher = threading.Thread(target=publish, args=(store, live, server, ended))
        publisher.start()
        during = Load()
        while not ended.is_set():
            part = ask_by_clients(server.port, benchmark.asked, clients=NORMAL_CLIENTS, seconds=5)
            during.replies += part.replies
            during.seconds += part.seconds
        publisher.join()
        after = ask_by_clients(server.port, benchmark.asked, clients=NORMAL_CLIENTS, seconds=benchmark.seconds)
    seen = len({one.snapshot for one in during.good})
    lines = ["| | photos/s | p50 ms | p95 ms | p99 ms | requests |", "|---|---|---|---|---|---|"]
    for name, load in (("before", before), (f"during {SWAPS} swaps", during), ("after", after)):
        lines.append(row(name, f"{load.rate:.1f}", *(f"{one:.0f}" for one in load.ms(50, 95, 99)), told(load)))
    return [*lines, "", f"{NORMAL_CLIENTS} clients; answers of {seen} snapshots were met in {during.seconds:.0f} s."]


def publish(store: Path, live: int, server: Server, ended: threading.Event) -> None:
    """Publishes the same contents again and again, each time when the snapshot before it answers."""
    try:
        for number in range(live + 1, live + 1 + SWAPS):
            firstseen("rollback", "--store", str(store), "--to", str(live))
            while server.json("/v1/snapshot")["number"] < number:
                time.sleep(0.2)
    finally:
        ended.set()


def bad_clients(benchmark: Benchmark) -> list[str]:
    """Returns the section about connections that are silent, slow or half closed."""
    with running(benchmark.store, benchmark.log) as server:
        alone = ask_by_clients(server.port, benchmark.asked, clients=NORMAL_CLIENTS, seconds=2 * benchmark.seconds)
        held, threads = open_bad(server.port, BAD_CLIENTS, seconds=BAD_SECONDS)
        beside = ask_by_clients(server.port, benchmark.asked, clients=NORMAL_CLIENTS, seconds=2 * benchmark.seconds)
        for thread in threads:
            thread.join()
    (quiet,), (disturbed,) = alone.ms(99), beside.ms(99)
    closed = ", ".join(f"{one.kind} {one.longest:.0f} s" for one in held)
    return [
        f"{NORMAL_CLIENTS} clients beside {4 * BAD_CLIENTS} bad connections: p99 {disturbed:.0f} ms, alone "
        f"{quiet:.0f} ms, {disturbed / quiet:.2f} times; {told(beside)}. The longest that one was open: {closed}."
    ]


def takedown(benchmark: Benchmark) -> list[str]:
    """Returns the section about a photo that is withdrawn while it is asked for."""
    store = benchmark.copy()
    with running(store, benchmark.log) as server:
        client = Client(server.port)
        photo, (name, *_) = next(
            (one, ids) for one in benchmark.asked if (ids := [i for i in client.ask(one).photo_ids if i])
        )
        firstseen("retract", name, "--store", str(store), "--why", "benchmark")
        withdrawn = last = time.perf_counter()
        while time.perf_counter() - withdrawn < 70:
            reply = client.ask(photo)
            if name in reply.photo_ids:
                last = reply.due + reply.seconds
    return [f"A photo that was withdrawn was last answered {last - withdrawn:.0f} s later (promised: 60)."]


def soak(benchmark: Benchmark) -> list[str]:
    """Returns the section about hours of use: memory and waiting over time."""
    minutes = benchmark.soak_minutes
    rows = ["| minute | photos/s | p50 ms | p99 ms | server's own memory, MB | failed |", "|---|---|---|---|---|---|"]
    measured = []
    with running(benchmark.store, benchmark.log) as server:
        ask_by_clients(server.port, benchmark.asked, clients=8, seconds=60)  # what grows at first is no leak
        started = server.resident_mb
        for step in range(1, 11):
            load = ask_by_clients(server.port, benchmark.asked, clients=8, seconds=6 * minutes)
            measured.append(server.resident_mb)
            p50, p99 = load.ms(50, 99)
            failed = len(load.replies) - len(load.good)
            rows.append(
                row(
                    f"{step * minutes / 10:g}",
                    f"{load.rate:.1f}",
                    f"{p50:.0f}",
                    f"{p99:.0f}",
                    f"{measured[-1]:.0f}",
                    failed,
                )
            )
    growth = measured[-1] / started - 1
    return [*rows, "", f"Memory after a minute {started:.0f} MB, at the end {measured[-1]:.0f} MB: {growth:+.1%}."]


SECTIONS = {
    "clients": clients_and_overload,
    "swaps": swaps,
    "bad clients": bad_clients,
    "takedown": takedown,
    "soak": soak,
}


def median_ms(seconds: list[float]) -> float:
    """Returns the median in milliseconds."""
    return 1000 * statistics.median(seconds)


def row(*cells: object) -> str:
    """Returns a row of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def told(load: Load) -> str:
    """Returns how many requests came to what."""
    return ", ".join(f"{count:,} × {status or 'no answer'}" for status, count in sorted(load.by_status.items()))


def firstseen(*arguments: str) -> None:
    """Runs a command to its end."""
    subprocess.run([sys.executable, "-m", "firstseen", *arguments], check=True, capture_output=True)  # noqa: S603


def main() -> None:
    """Measures and writes the sections of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="that of `benchmarks.scale`")
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20, help="how long each load lasts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=float, metavar="MINUTES", default=10)
    parser.add_argument("--only", choices=SECTIONS, action="append", help="measure these sections alone")
    arguments = parser.parse_args()
    folder = arguments.folder / "served"
    folder.mkdir(exist_ok=True)
    store, photos = made_store(arguments.folder, arguments.photos), made_queries(arguments.folder)
    benchmark = Benchmark(store, photos, folder, arguments.seconds, arguments.rounds, arguments.soak)
    live = read_snapshot(Store(str(store)), None)
    about = f"`python -m benchmarks.serve` on {machine()}: {live.photos:,} photos, encoder `{live.encoder_id}`."
    for name in arguments.only or SECTIONS:
        write_section(f"Serve: {name}", "\n".join([about, "", *SECTIONS[name](benchmark)]))


if __name__ == "__main__":
    main()
