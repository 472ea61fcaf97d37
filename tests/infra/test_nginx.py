"""The example of a proxy: taken by nginx, and a form, a stream, a page and a refusal pass it as they come."""

import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from serving.http.keys import add_key
from serving.http.line_reading import MOST_LINE_BYTES
from serving.http.options import ServeOptions
from serving.live.options import LiveOptions
from tests.conftest import Desk
from tests.infra.serve_files import FOLDER
from tests.photos import jpeg, scene
from tests.serving.http.running import running
from tests.serving.http.test_lines import LINES, line
from tests.serving.http.test_server import form

FILE = FOLDER / "nginx" / "firstseen.conf"
NAME = "firstseen.example.org"
START_SECONDS = 20
# Around the file, whose own place is inside of `http`; nothing is written outside of the folder.
MAIN = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    include {folder}/firstseen.conf;
}}
"""


def directives(text: str) -> dict[str, list[str]]:
    """Returns the values of each directive, in their order."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^\s*(\w+) ([^;{]+);", re.sub("#.*", "", text), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


DIRECTIVES = directives(FILE.read_text())


def seconds(name: str) -> int:
    """Returns a time, which stands once."""
    (text,) = DIRECTIVES[name]
    return int(text.removesuffix("s"))


def test_limits_are_those_of_the_service():
    """What is too much or too slow is refused by the service, in words, and not by the proxy before it."""
    options = ServeOptions()
    assert DIRECTIVES["client_max_body_size"] == [f"{options.max_body_bytes >> 20}m", "0"]
    # Without a bound of the proxy each line still has one.
    assert min(options.max_body_bytes, MOST_LINE_BYTES) < 2**30
    assert seconds("client_header_timeout") == options.header_seconds
    assert options.body_seconds < seconds("client_body_timeout") <= 2 * options.body_seconds
    a_line = options.body_seconds + LiveOptions().deadline_seconds
    assert seconds("proxy_read_timeout") > max(options.request_seconds, a_line)
    assert seconds("proxy_send_timeout") > max(options.request_seconds, a_line)


def test_it_asks_where_the_service_listens():
    """By default, and as the unit of systemd beside it."""
    options = ServeOptions()
    assert {*DIRECTIVES["proxy_pass"]} == {f"http://{options.host}:{options.port}"}


def test_photos_pass_as_they_come():
    """Neither queries nor answers lie on the proxy's disk, and a body without a length is sent on at once."""
    assert DIRECTIVES["proxy_request_buffering"] == DIRECTIVES["proxy_buffering"] == ["off"]
    assert DIRECTIVES["proxy_http_version"] == ["1.1"]


@dataclass
class Proxy:
    """A proxy that ends TLS before a service that wants a key."""

    port: int
    key: str

    def connect(self) -> http.client.HTTPSConnection:
        """Returns a connection that trusts a certificate made for a test."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Returns the status and the body of an answer."""
        connection = self.connect()
        sent = {"Host": f"{NAME}:{self.port}", "Authorization": f"Bearer {self.key}"}
        connection.request(
            method, path, body, {**sent, **{name.replace("_", "-"): one for name, one in headers.items()}}
        )
        response = connection.getresponse()
        received = response.status, response.read()
        connection.close()
        return received


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def proxy(live_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx with the file as it is, but for its ports and its certificate, in front of a service with keys."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if not program or not shutil.which("openssl"):
        pytest.skip("no nginx or no openssl: apt install nginx-light openssl")
    folder = tmp_path_factory.mktemp("nginx")
    key = add_key(folder / "keys.json", "desk", roles=["search", "admin"])
    with running(live_desk.store, folder / "log", "--keys", str(folder / "keys.json")) as service:
        port = free_port()
        certify(folder)
        text = FILE.read_text().replace("listen [::]:443 ssl;", "").replace("listen 443", f"listen 127.0.0.1:{port}")
        text = re.sub(r"/etc/ssl/(certs|private)/firstseen\.example\.org", f"{folder}/tls", text)
        text = text.replace("http://127.0.0.1:8080", service.address)
        (folder / "firstseen.conf").write_text(text)
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
        command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert "[warn]" not in checked.stderr.replace('the "user" directive', "")
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            wait_for(port, process)
            yield Proxy(port, key)
        finally:
            process.terminate()
            process.wait()


def certify(folder: Path) -> None:
    """Makes a certificate for a day, and its key."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1", "-subj", f"/CN={NAME}"]
    files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.pem")]
    subprocess.run([*command, *files], capture_output=True, check=True)


def wait_for(port: int, process: subprocess.Popen) -> None:
    """Waits until somebody listens."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx did not start")


def test_a_form_is_answered(proxy: Proxy, live_desk: Desk):
    """A photo of the archive is found; without its key nothing is."""
    body, headers = form(sorted(live_desk.archive.rglob("*.jpg"))[0].read_bytes())
    content_type = headers["Content-Type"]
    status, answered = proxy.ask("POST", "/v1/lookup", body, Content_Type=content_type)
    assert status == 200
    assert json.loads(answered)["results"][0]["answers"][0]["verdict"] == "identical"
    assert proxy.ask("POST", "/v1/lookup", body, Content_Type=content_type, Authorization="Bearer no")[0] == 401


def test_a_form_of_the_page_is_answered(proxy: Proxy):
    """Its browser names the origin with the port of the proxy, and is believed; one of another site is not."""
    body, headers = form(jpeg(scene(0)))
    own = {"Content_Type": headers["Content-Type"], "Origin": f"https://{NAME}:{proxy.port}"}
    status, page = proxy.ask("GET", "/")
    assert status == 200
    (action,) = set(re.findall(rb'<form[^>]* action="([^"]+)"', page))
    assert proxy.ask("POST", action.decode(), body, **own)[0] == 303
    assert proxy.ask("POST", action.decode(), body, **own | {"Origin": "https://other.example"})[0] == 403


def test_a_line_is_answered_before_the_next_one_comes(proxy: Proxy):
    """Nothing of a stream waits at the proxy, in either direction."""
    connection = proxy.connect()
    connection.putrequest("POST", "/v1/lookup", skip_host=True)
    sent = {**LINES, "Transfer-Encoding": "chunked", "Host": NAME, "Authorization": f"Bearer {proxy.key}"}
    for name, value in sent.items():
        connection.putheader(name, value)
    connection.endheaders()
    file = connection.sock.makefile("rb")
    for name in ("a", "b"):
        body = line(name)
        connection.sock.sendall(b"%x\r\n%s\r\n" % (len(body), body))
        while not (received := file.readline()).startswith(b"{"):
            assert received, "the stream ended"
        assert json.loads(received)["id"] == name
    connection.close()


def test_what_is_too_large_is_refused_in_words_of_the_service(proxy: Proxy):
    """A lookup by the service itself; a page's form, with which a browser would show it, by the proxy."""
    large = str(ServeOptions().max_body_bytes + 1)
    status, told = proxy.ask(
        "POST", "/v1/lookup", b"", Content_Type="multipart/form-data; boundary=x", Content_Length=large
    )
    assert (status, json.loads(told)["reason"]) == (413, "body_too_large")


def test_metrics_are_not_for_the_world(proxy: Proxy):
    """Not even with a key for them; probes are."""
    assert proxy.ask("GET", "/metrics")[0] == 404
    assert proxy.ask("GET", "/readyz")[0] == 200
