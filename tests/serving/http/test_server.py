"""The server as a process: it begins, it ends when it is told to, and no answer is lost."""

import http.client
import select
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.errors import UsageError
from serving.http.options import ServeOptions, check_together
from serving.http.server import bind
from serving.live.options import LiveOptions
from tests.conftest import Desk
from tests.photos import jpeg, noise
from tests.serving.http.running import Running, running, status_of
from tests.serving.http.test_lines import LINES, line


def test_a_service_that_is_told_to_end_answers_what_was_asked(live_desk: Desk, tmp_path: Path):
    """SIGTERM: nothing new is taken, what is under way is answered, and the exit code is 0."""
    patient = ["--drain-seconds", "100", "--drain-notice-seconds", "0"]
    with running(live_desk.store, tmp_path / "log", *patient) as service, ExitStack() as stack:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=100)
        stack.callback(connection.close)
        body = b"".join(line(str(number), jpeg(noise(number))) for number in range(30))
        connection.request("POST", "/v1/lookup", body, LINES)
        response = stack.enter_context(connection.getresponse())
        first = response.readline()
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", service.port), timeout=1)
        assert len((first + response.read()).splitlines()) == 30
        assert service.process.wait(100) == 0
        assert service.lines()[-2]["event"] == "ended: what was asked is answered"


def test_draining_has_an_end(live_desk: Desk, tmp_path: Path):
    """A client that never finishes is not waited for, and a second signal waits for nobody."""
    for seconds, signals in (("0.5", 1), ("60", 2)):
        flags = ["--drain-seconds", seconds, "--drain-notice-seconds", "0"]
        with running(live_desk.store, tmp_path / "log", *flags) as service, stuck_connection(service):
            started = time.monotonic()
            for _ in range(signals):
                service.process.send_signal(signal.SIGTERM)
                time.sleep(0.2)
            assert service.process.wait(20) == 0
            assert time.monotonic() - started < 5
            assert service.lines()[-2]["event"].startswith("ended: 1 requests were cut off")


def test_who_probes_is_told_before_the_end(live_desk: Desk, tmp_path: Path):
    """For a while lookups are still answered, and /readyz says to send them elsewhere; Ctrl-C waits for nobody."""
    with running(live_desk.store, tmp_path / "log", "--drain-notice-seconds", "60") as service:
        service.process.send_signal(signal.SIGTERM)
        while status_of(f"{service.address}/readyz") == 200:
            time.sleep(0.02)
        assert [status_of(f"{service.address}{path}") for path in ("/readyz", "/v1/snapshot")] == [503, 200]
        assert service.end(signal.SIGTERM, seconds=20) == 0


def test_the_log_tells_what_becomes_of_snapshots(live_desk: Desk, tmp_path: Path):
    """One that answers now, one that is refused and why, and a store that is gone; each once, with its level."""
    store = tmp_path / "store"
    shutil.copytree(live_desk.store, store)
    with running(store, tmp_path / "log", "--snapshot-poll-seconds", "0.1") as service:

        def told(words: str) -> dict:
            end = time.monotonic() + 30
            while time.monotonic() < end:
                if found := [line for line in service.lines() if words in line["event"]]:
                    (line,) = found
                    return line
                time.sleep(0.05)
            raise AssertionError(f"the log has no {words!r}: {service.log.read_text()}")

        assert run(["rollback", "--store", str(store), "--to", "1"]) == 0
        assert told("snapshot 2 answers")["level"] == "info"
        (store / "snapshots" / "3.json").write_text("{}")
        assert told("snapshot 3 is refused, 2 answers: ")["level"] == "error"
        store.rename(tmp_path / "gone")
        assert told("no newer snapshot could be read: ")["level"] == "warning"


@contextmanager
def stuck_connection(service: Running) -> Iterator[None]:
    """Keeps a connection that stops in the midst of its body."""
    with socket.create_connection(("127.0.0.1", service.port)) as stuck:
        stuck.sendall(b"POST /v1/lookup HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        stuck.sendall(b"Content-Length: 10\r\n\r\n{")
        time.sleep(0.3)
        yield


def test_a_service_that_is_interrupted_while_it_opens_ends_at_once(live_desk: Desk, tmp_path: Path):
    """With the exit code of an interruption, and one line."""
    with running(live_desk.store, tmp_path / "log", waits=False) as service:
        while not service.log.exists() or "opening" not in service.log.read_text():
            time.sleep(0.02)
        assert service.end(signal.SIGINT, seconds=10) == 130
        assert "it had not begun to answer" in service.log.read_text()


def test_a_store_that_cannot_be_served_is_told_in_one_line(tmp_path: Path):
    """The exit code is that of any other verb."""
    with running(tmp_path / "nothing", tmp_path / "log", waits=False) as service:
        assert service.process.wait(30) == 4


def test_many_clients_at_once_are_all_answered(service: Running):
    """Or told to come back: nobody's connection is dropped."""
    statuses: list[int] = []

    def ask() -> None:
        for number in range(3):
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
            connection.request("POST", "/v1/lookup", *form(jpeg(noise(number))))
            statuses.append(connection.getresponse().status)
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 24
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 12
    assert status_of(f"{service.address}/readyz") == 200


def form(data: bytes) -> tuple[bytes, dict[str, str]]:
    """Returns the body and the headers of a form with one photo."""
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    return head + data + b"\r\n--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}


def test_the_system_keeps_little_of_an_answer_that_is_read_slowly():
    """It would go on with megabytes of it, to a reader who takes his time, when the service gave it up long since."""
    with bind(ServeOptions(port=0)) as listening, socket.socket() as client:
        listening.listen()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.connect(listening.getsockname())
        accepted, _ = listening.accept()
        with accepted:
            accepted.setblocking(False)
            sent = 0
            while sent < 2**20 and select.select([], [accepted], [], 0.2)[1]:
                sent += accepted.send(bytes(16_384))
    assert 0 < sent < 2**20


def test_a_port_that_is_taken_is_told():
    """The message names address and port."""
    with bind(ServeOptions(port=0)) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"nothing can listen at 127.0.0.1, port {port}"):
            bind(ServeOptions(port=port))


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 70_000},
        {"max_body_bytes": 1},
        {"max_bodies_bytes": 2_000},
        {"max_images": 0},
        {"max_pixels": 0},
        {"header_seconds": 0},
        {"body_seconds": float("nan")},
        {"request_seconds": -1},
        {"drain_seconds": -1},
        {"drain_notice_seconds": -1},
    ],
)
def test_options_out_of_range_are_refused(wrong: dict):
    """The error names the flag."""
    (name,) = wrong
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} is"):
        ServeOptions(**wrong)


@pytest.mark.parametrize(
    "host",
    ["http://img.example.org", "img.example.org/a", "img example.org", "", "*", "10.0.0.1", "127.0.0.1:80", "::1"],
)
def test_hosts_that_nothing_is_fetched_from_are_refused(host: str):
    """At the start, and not with each query; names, ports and public addresses are taken."""
    with pytest.raises(UsageError, match="--allow-host is"):
        ServeOptions(allow_host=(host,))
    ServeOptions(allow_host=("img.example.org", "img.example.org:8443", "localhost", "1.1.1.1", "2606:4700::1111"))


@pytest.mark.parametrize("host", ["http://127.0.0.1", "127.0.0.1:80", "[::1]", "a b", "", "127.0.0.1/24"])
def test_an_address_to_listen_at_is_one_alone(host: str):
    """Before anybody is told that others reach it; names and addresses of both kinds are taken."""
    with pytest.raises(UsageError, match=r"--host is .*; expected an address or a name alone"):
        ServeOptions(host=host)
    for good in ("::1", "localhost", "localhost.", "127.0.0.1"):
        ServeOptions(host=good)
    for good in ("photo_desk-1.example.org", "fe80::1%eth0"):
        ServeOptions(host=good, insecure=True)


@pytest.mark.parametrize("wrong", [{"queue_queries": 63}, {"deadline_seconds": 61}])
def test_options_that_contradict_each_other_are_refused(wrong: dict):
    """The service would promise what its engine refuses."""
    check_together(ServeOptions(), LiveOptions())
    (name,) = wrong
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}"):
        check_together(ServeOptions(), LiveOptions(**wrong))
