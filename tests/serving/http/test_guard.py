"""Who may ask: keys, roles and rates; hosts and origins; and what the log says of them."""

import base64
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from foundation.errors import InputNotFoundError, UsageError
from foundation.store.files import Store
from serving.http import keys as keys_module
from serving.http.keys import KeyFile, add_key, read_keys, remove_key
from serving.http.options import ServeOptions
from serving.http.rates import Rates
from serving.http.service import make_app
from tests.serving.http.clients import AppClient
from tests.serving.http.fake_engine import FakeLive


class Desk:
    """An app with keys, and what it logged."""

    def __init__(self, folder: Path):
        self.file = folder / "keys.json"
        self.search = add_key(self.file, "desk", roles=["search"])
        self.admin = add_key(self.file, "prometheus", roles=["admin"])
        self.log: list[tuple] = []
        options = ServeOptions(host="0.0.0.0", keys=self.file)  # noqa: S104
        app = make_app(FakeLive(), options, store=Store(folder), log=lambda *line: self.log.append(line))
        self.client = AppClient(app, base_url="http://photos.example")

    def status(self, key: str | None, path: str = "/openapi.json", method: str = "GET") -> int:
        """Returns the status of a request with this key."""
        headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
        return self.client.request(method, path, headers=headers).status_code


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An app with two keys."""
    return Desk(tmp_path)


def test_a_key_opens_what_its_role_is_for(desk: Desk):
    """Nothing without one; the document is for both roles; probes are for everybody."""
    assert desk.status(None) == desk.status("fsk_wrong") == desk.status("") == 401
    assert desk.status(desk.search) == desk.status(desk.admin) == 200
    assert (desk.status(desk.search, "/metrics"), desk.status(desk.admin, "/metrics")) == (403, 200)
    assert desk.status(desk.search, "/v1/admin/reload", "POST") == 403
    assert desk.status(desk.admin, "/v1/snapshot") == 403
    assert desk.status(None, "/livez") == desk.status(None, "/readyz") == 200


def test_the_log_names_a_key_that_is_refused(desk: Desk):
    """Whose it is, and never the key itself."""
    assert desk.status(desk.search, "/metrics") == 403
    _, _, told = desk.log[-1]
    assert (told["key"], told["reason"]) == ("desk", "role")
    assert desk.search not in str(desk.log)


def test_keys_go_into_no_folder_that_is_not_there(tmp_path: Path):
    """Its name may be misspelt, and the keys would be those of no service."""
    with pytest.raises(InputNotFoundError, match="there is no folder"):
        add_key(tmp_path / "missing" / "keys.json", "desk", roles=["search"])
    assert not (tmp_path / "missing").exists()


def test_keys_that_are_added_at_once_are_all_there(tmp_path: Path):
    """Nobody writes the file as it was before the other one."""
    path = tmp_path / "keys.json"
    names = [f"desk-{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: add_key(path, name, roles=["search"]), names))
    assert {key.name for key in read_keys(path)} == {*names}


def test_a_link_to_a_file_of_keys_stays_one(tmp_path: Path):
    """What it leads to is what the service reads."""
    (tmp_path / "kept").mkdir()
    real, link = tmp_path / "kept" / "keys.json", tmp_path / "keys.json"
    add_key(real, "desk", roles=["search"])
    link.symlink_to(real)
    add_key(link, "robot", roles=["search"])
    remove_key(link, "desk")
    assert link.is_symlink()
    assert [key.name for key in read_keys(real)] == ["robot"]


def test_a_browser_gives_the_key_as_a_password(desk: Desk):
    """The answer asks for it; whose it is does not matter."""
    refused = desk.client.get("/openapi.json")
    assert refused.headers.get_list("WWW-Authenticate") == [
        'Basic realm="firstseen", charset="UTF-8"',
        'Bearer realm="firstseen"',
    ]
    assert refused.headers["Content-Type"] == "application/problem+json"
    basic = base64.b64encode(f"anybody:{desk.search}".encode()).decode()
    assert desk.client.get("/openapi.json", headers={"Authorization": f"Basic {basic}"}).status_code == 200
    assert desk.client.get("/openapi.json", headers={"Authorization": "Basic ?"}).status_code == 401


def test_a_key_is_refused_when_its_time_is_over(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """The answer says that it has expired, and not that it is wrong."""
    secret = add_key(desk.file, "guest", roles=["search"], expires_at=keys_module.now() + timedelta(days=1))
    assert desk.status(secret) == 200
    later = datetime.now(timezone.utc) + timedelta(days=2)
    monkeypatch.setattr("serving.http.guard.now", lambda: later)
    response = desk.client.get("/openapi.json", headers={"Authorization": f"Bearer {secret}"})
    assert (response.status_code, response.json()["reason"]) == (401, "expired_key")


def test_keys_are_added_and_removed_while_the_service_runs(desk: Desk):
    """The file is read again when it changes; one that is broken leaves the keys as they were, and is told."""
    secret = add_key(desk.file, "guest", roles=["search"])
    assert desk.status(secret) == 200
    remove_key(desk.file, "guest")
    assert desk.status(secret) == 401
    desk.file.write_text("{")
    assert desk.status(desk.search) == 200
    assert next(line for line in desk.log if line[0] == "keys")[1] == "error"


@pytest.mark.parametrize("breaks", [Path.unlink, lambda file: file.write_text("{")])
def test_a_file_that_stays_broken_refuses_everybody(tmp_path: Path, breaks):
    """Else the key that was just removed from it would be good for as long as the service runs."""
    file, seconds, problems = tmp_path / "keys.json", [0.0], []
    secret = add_key(file, "desk", roles=["search"])
    text = file.read_text()
    found = KeyFile(file, on_problem=problems.append, clock=lambda: seconds[0])
    breaks(file)
    assert found.find(secret)
    seconds[0] = keys_module.GRACE_SECONDS
    assert not found.find(secret)
    assert len(problems) == 1
    file.write_text(text)
    assert found.find(secret)


def test_a_file_of_keys_keeps_its_owner_and_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A service that reads it as another user would go on with the keys that it knew."""
    file = tmp_path / "keys.json"
    add_key(file, "desk", roles=["search"])
    file.chmod(0o640)
    add_key(file, "guest", roles=["search"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    given, before = [], file.stat()
    monkeypatch.setattr(keys_module.os, "fchown", lambda descriptor, *whose: given.append(whose))
    other = os.stat_result((before.st_mode, 0, 0, 1, before.st_uid + 1, before.st_gid + 2, 0, 0, 0, 0))
    with file.open("rb") as opened:
        keys_module._give_to(opened.fileno(), other, file)
    assert given == [(before.st_uid + 1, before.st_gid + 2)]


def test_a_key_that_asks_too_often_is_told_to_wait(desk: Desk):
    """429 with the seconds; other keys are answered."""
    secret = add_key(desk.file, "robot", roles=["search"], requests_per_minute=2)
    headers = {"Authorization": f"Bearer {secret}"}
    photo = {"image": ("a.jpg", b"\xff\xd8")}
    statuses = [desk.client.post("/v1/lookup", files=photo, headers=headers) for _ in range(3)]
    assert [one.status_code for one in statuses] == [200, 200, 429]
    assert 1 <= int(statuses[2].headers["Retry-After"]) <= 30
    assert desk.status(desk.search) == 200


def test_what_a_page_shows_does_not_count_as_queries(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """A result has dozens of pictures; who reads without end is told to wait all the same, and may still look up."""
    monkeypatch.setattr("serving.http.guard.READS_PER_QUERY", 1)
    monkeypatch.setattr("serving.http.guard.LEAST_READS", 12)
    secret = add_key(desk.file, "robot", roles=["search"], requests_per_minute=1)
    headers = {"Authorization": f"Bearer {secret}"}
    statuses = [desk.client.get(f"/lookups/none/1-{rank}.jpg", headers=headers).status_code for rank in range(14)]
    assert statuses == [*[404] * 12, 429, 429]
    photo = {"image": ("a.jpg", b"\xff\xd8")}
    assert [desk.client.post("/v1/lookup", files=photo, headers=headers).status_code for _ in range(2)] == [200, 429]


def test_each_query_of_a_request_counts(desk: Desk):
    """A form of several photos is as many requests of one: the next one waits for all of them."""
    secret = add_key(desk.file, "robot", roles=["search"], requests_per_minute=6)
    headers = {"Authorization": f"Bearer {secret}"}
    files = [("image", (f"{number}.jpg", b"\xff\xd8")) for number in range(8)]
    assert desk.client.post("/v1/lookup", files=files, headers=headers).status_code == 200
    refused = desk.client.post("/v1/lookup", files=files, headers=headers)
    assert refused.status_code == 429
    assert 21 <= int(refused.headers["Retry-After"]) <= 30


def test_lines_come_no_faster_than_the_key_allows(desk: Desk):
    """Whoever sends more of them is held up, and not sent away."""
    secret = add_key(desk.file, "robot", roles=["search"], requests_per_minute=120)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/x-ndjson"}
    body = b'{"id": "a", "image": {"b64": ""}}\n' * 122
    started = time.monotonic()
    response = desk.client.post("/v1/lookup", content=body, headers=headers)
    assert len(response.content.splitlines()) == 122
    assert time.monotonic() - started >= 0.5


def test_a_bucket_of_requests_fills_up_again_over_a_minute():
    """A minute's worth at once, then one for each share of a minute, and never more than a minute's worth."""
    seconds = [0.0]
    rates = Rates(lambda: seconds[0])
    assert [rates.take("a", 60) for _ in range(60)] == [0.0] * 60
    assert rates.take("a", 60) == pytest.approx(1)
    assert rates.take("b", 60) == 0
    seconds[0] = 1.0
    assert (rates.take("a", 60), rates.take("a", 60)) == (0, pytest.approx(1))
    seconds[0] = 1_000.0
    assert [rates.take("a", 60) for _ in range(61)] == [*[0.0] * 60, pytest.approx(1)]


def test_no_key_stands_in_the_log_or_in_the_file(desk: Desk):
    """Neither right nor wrong ones, nor those that somebody put into the address."""
    wrong = "fsk_wrong-and-secret"
    for key in (desk.search, desk.admin, wrong):
        desk.status(key)
        desk.status(key, f"/openapi.json?key={key}")
        desk.client.get("/v1/snapshot", headers={"Authorization": f"Basic {key}", "X-Request-ID": f"bad {key}"})
    told = repr(desk.log) + desk.file.read_text()
    assert not [key for key in (desk.search, desk.admin, wrong) if key in told]
    assert desk.file.stat().st_mode & 0o777 == 0o600
    assert {line[2]["key"] for line in desk.log if "key" in line[2]} == {"desk", "prometheus"}
    assert {line[2]["reason"] for line in desk.log if line[2].get("status") == 401} == {"wrong_key"}


def open_client(folder: Path, **options) -> AppClient:
    """Returns a client of an app without keys."""
    return AppClient(make_app(FakeLive(), ServeOptions(**options), store=Store(folder)))


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:80", "LOCALHOST"])
def test_without_keys_this_machine_is_asked_by_its_own_names(tmp_path: Path, host: str):
    """Whatever port a tunnel gives it."""
    assert open_client(tmp_path).get("/metrics", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["rebound.example", "127.0.0.1.rebound.example", "localhost.example", "", "[::2]", "10.0.0.1"]
)
def test_without_keys_no_other_name_is_answered(tmp_path: Path, host: str):
    """A page of a stranger makes a browser ask under a name of its own."""
    response = open_client(tmp_path).get("/metrics", headers={"Host": host})
    assert (response.status_code, response.json()["reason"]) == (403, "host")
    assert open_client(tmp_path, insecure=True).get("/metrics", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8080"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "http://127.0.0.1:8080"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://["}, False),
    ],
)
def test_a_page_of_another_site_changes_nothing(tmp_path: Path, headers: dict, is_let_in: bool):
    """A browser says where a request comes from; a program says nothing of it."""
    response = open_client(tmp_path).post("/v1/lookup", headers=headers)
    assert (response.status_code != 403) == is_let_in
    assert is_let_in or response.json()["reason"] == "origin"
    assert open_client(tmp_path).get("/metrics", headers=headers).status_code == 200


def test_other_machines_need_a_key_or_nobody_does():
    """An address that others reach is refused without keys, unless that is what is wanted."""
    for host in ("0.0.0.0", "192.168.1.5", "::", "photos.example"):  # noqa: S104
        with pytest.raises(UsageError, match="expected --keys FILE"):
            ServeOptions(host=host)
        ServeOptions(host=host, insecure=True)
        ServeOptions(host=host, keys=Path("keys.json"))
    for host in ("127.0.0.1", "localhost", "::1", "127.0.0.2"):
        ServeOptions(host=host)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": [{"name": "a"}]}',
        '{"keys": [{"name": "a", "sha256": "x", "roles": ["search"]}]}',
        '{"keys": [{"name": "a", "sha256": "%s", "roles": ["root"]}]}' % ("0" * 64),
        '{"keys": [{"name": "a", "sha256": "%s", "roles": []}]}' % ("0" * 64),
        '{"keys": [{"name": "a", "sha256": "%s", "roles": ["search"], "expires_at": "2026-01-01T00:00:00"}]}'
        % ("0" * 64),
    ],
)
def test_a_file_that_is_none_of_keys_is_refused_at_the_start(tmp_path: Path, text: str):
    """In one line that names it."""
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"keys.json is no file of keys") as caught:
        read_keys(file)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputNotFoundError):
        read_keys(tmp_path / "gone.json")


def test_a_name_is_given_once(tmp_path: Path):
    """A second key of a name is refused, as are names that a log could not hold, and roles that there are not."""
    file = tmp_path / "keys.json"
    add_key(file, "desk", roles=["search"])
    for name, roles in (("desk", ["search"]), ("a b", ["search"]), ("", ["search"]), ("b", ["root"]), ("b", [])):
        with pytest.raises(UsageError):
            add_key(file, name, roles=roles)
    with pytest.raises(InputNotFoundError, match="has no key 'b'; expected one of: desk"):
        remove_key(file, "b")
    assert [key.name for key in read_keys(file)] == ["desk"]
