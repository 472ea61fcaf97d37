"""The program itself, `firstseen serve`, asked by its own client: what the stub of the other tests stands for."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import firstseen
from foundation.errors import AccessDeniedError, InputNotFoundError
from serving.http.keys import add_key
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.remote.remote_searcher import open_server
from serving.searcher import Searcher
from tests.conftest import REPOSITORY, Desk
from tests.photos import jpeg, scene
from tests.serving.remote.rounding import rounded


@contextmanager
def serving(store: Path, *flags: str) -> Iterator[str]:
    """Runs the service on a free port for as long as the block, and yields its address once it is ready."""
    command = [sys.executable, "-m", "firstseen", "serve", "--store", str(store), "--port", "0", *flags]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "FIRSTSEEN_LOG_FORMAT": "text"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"answers at (http://\S+);", line):
                yield found[1]
                break
        else:
            pytest.fail("".join(said))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def address(live_desk: Desk) -> Iterator[str]:
    """The ten photos, served on this machine without keys."""
    with serving(live_desk.store, "--max-images", "3") as found:
        yield found


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test uses a key of the machine that it runs on."""
    monkeypatch.delenv("FIRSTSEEN_KEY", raising=False)


def queries(desk: Desk) -> list[Query]:
    """Returns photos of the archive as they are and edited, one that is not there, and some that cannot be used."""
    archive = [path.read_bytes() for path in sorted(desk.archive.rglob("*.jpg"))[:4]]
    edited = [jpeg(scene(number), quality=40) for number in range(3)]
    broken = [b"", b"<html>", archive[0][:200]]
    return [
        Query(f"köln/ä {number}\n", lambda data=data: data) for number, data in enumerate([*archive, *edited, *broken])
    ]


@pytest.mark.parametrize("options", [MatchOptions(), MatchOptions(top_k=3, similar=True, effort="fast")])
def test_answers_are_those_of_the_store(address: str, live_desk: Desk, options: MatchOptions):
    """Field by field, under any name, and also where the server takes fewer photos at once than the client sends."""
    asked = queries(live_desk)
    with Searcher.open(str(live_desk.store), options=options) as local:
        expected = [list(map(rounded, rows)) for rows in local.lookup(asked)]
        opened = local.snapshot
    with firstseen.Searcher.open(address, options=options) as remote:
        assert list(remote.lookup(asked)) == expected
        told = remote.snapshot
    assert {rows[0].status for rows in expected} >= {"matched", "rejected"}
    assert (told.number, told.encoder_id, told.photos) == (opened.number, opened.encoder_id, opened.photos)
    assert told.created_at == opened.created_at


def test_an_address_below_the_service_is_told_as_such(address: str):
    """It is the service that answers, and says that there is nothing."""
    with pytest.raises(InputNotFoundError, match="answers as firstseen, but not at this address"):
        open_server(f"{address}/below")


def test_a_snapshot_is_named_or_missing(address: str, live_desk: Desk):
    """The live one by its number answers the same, another is told when the searcher is opened."""
    with open_server(address, snapshot=1) as searcher:
        assert searcher.snapshot.number == 1
        assert [rows[0].snapshot for rows in searcher.lookup(queries(live_desk)[:1])] == [1]
    with pytest.raises(InputNotFoundError, match="does not have it: snapshot 9 does not answer"):
        open_server(address, snapshot=9)


def test_keys_are_asked_for(live_desk: Desk, tmp_path: Path):
    """Without one, with a wrong one, and with one that may only do something else: one line each."""
    secret = add_key(tmp_path / "keys.json", "desk", roles=["search"])
    admin = add_key(tmp_path / "keys.json", "prometheus", roles=["admin"])
    with serving(live_desk.store, "--keys", str(tmp_path / "keys.json")) as address:
        with pytest.raises(AccessDeniedError, match="wants a key, and none was given"):
            open_server(address)
        with pytest.raises(AccessDeniedError, match="does not know this key"):
            open_server(address, key="fsk_wrong")
        with pytest.raises(AccessDeniedError, match="expected a key with the role search"):
            open_server(address, key=admin)
        with open_server(address, key=secret) as searcher:
            (rows,) = searcher.lookup(queries(live_desk)[:1])
    assert rows[0].verdict == "identical"
