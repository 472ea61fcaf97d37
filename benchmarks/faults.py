"""Kills commands hundreds of times, where they write and at random, and counts what was lost.

    python -m benchmarks.faults [--trials 300] [--seed 0]

Half of the trials are on a store of this machine, half on an S3 server (moto). After each kill the store must answer
from a whole snapshot, the command run again must complete what an undisturbed run does, to the row, and `gc` must leave
nothing that nobody names. `tests/faults` says how, and makes some of the trials in every test run.
"""

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.results import machine, write_section
from tests.faults.scenes import COMMANDS, in_bucket, make_scene
from tests.faults.trials import Command, Trial, places_of, rows_of, try_kill_after, try_kill_at

# Of the trials of a command so many are at random times, the others at places where it writes.
AT_RANDOM = 0.25
LONGEST_SECONDS = 3.0


@contextmanager
def s3_bucket() -> Iterator[str]:
    """Yields the address of an empty bucket on an S3 server of this process."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    os.environ |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="faults")
    try:
        yield "s3://faults"
    finally:
        server.stop()


def trials_of(command: Command, folder: Path, count: int, chance: random.Random) -> Iterator[Trial]:
    """Yields the trials of one command, in turn at each of the places that it passes and at random times."""
    command.restore()
    before = rows_of(command.store)
    places = places_of(command, folder)
    after = rows_of(command.store)
    at_random = round(AT_RANDOM * count)
    chosen = [places[number * len(places) // (count - at_random) % len(places)] for number in range(count - at_random)]
    for place in chosen:
        yield try_kill_at(place, command, before=before, after=after)
    for _ in range(at_random):
        yield try_kill_after(chance.uniform(0.2, LONGEST_SECONDS), command, before=before, after=after)


def main() -> None:
    """Makes the trials, prints each that went wrong, and writes the section of benchmarks/RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="file for a line of JSON per trial")
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 (no secret)
    each = -(-options.trials // (2 * len(COMMANDS)))
    rows = []
    with tempfile.TemporaryDirectory(prefix="firstseen-") as directory, s3_bucket() as bucket:
        for verb in COMMANDS:
            folder = Path(directory, verb)
            folder.mkdir()
            local = make_scene(folder, verb)
            for where, command in (("local disk", local), ("S3", in_bucket(local, bucket))):
                started = time.perf_counter()
                trials = []
                for trial in trials_of(command, folder, each, chance):
                    trials.append(trial)
                    if trial.problems:
                        print(f"{verb}, {where}, {trial.where}: {'; '.join(trial.problems)}", flush=True)
                    if options.log:
                        with options.log.open("a") as file:
                            file.write(json.dumps({"verb": verb, "store": where, **vars(trial)}) + "\n")
                wrong = sum(bool(trial.problems) for trial in trials)
                places = len({trial.where for trial in trials})
                seconds = (time.perf_counter() - started) / len(trials)
                rows.append(f"| {verb} | {where} | {len(trials)} | {places} | {wrong} | {seconds:.1f} |")
                print(rows[-1], flush=True)
    body = "\n".join(
        [
            f"Commands killed with SIGKILL where they write, and at random times; {machine()}.",
            "",
            "| command | store | trials | different places | with a problem | seconds a trial |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )
    write_section("Faults", body)


if __name__ == "__main__":
    main()
