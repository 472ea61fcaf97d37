"""Starts gcp-storage-emulator with what obstore needs of Google Cloud Storage and the emulator lacks.

obstore speaks the XML API (https://cloud.google.com/storage/docs/xml-api), of which the emulator knows GET and PUT of
an object alone: here its own storage is also listed (`list-type=2`), asked for by HEAD, and answers name ETag and
Last-Modified and honour `If-Match`. `STORAGE_EMULATOR_HOST` is unknown to obstore; a service account that names the
address (`gcs_base_url`) and no key (`disable_oauth`) is what it takes.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.handlers.buckets import create_bucket
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

PAGE = 1_000


class _XmlHandler(RequestHandler):
    """The emulator's answers to one request, and those of the XML API that it lacks."""

    def do_GET(self) -> None:  # noqa: N802 - the server calls it by this name
        bucket, key = self._target()
        if not key and "list-type" in self._query():
            self._answer(*self._listing(bucket))
        elif self.headers.get("If-Match", self._etag()) != self._etag():
            self._answer(HTTPStatus.PRECONDITION_FAILED, b"")
        else:
            super().do_GET()

    def do_HEAD(self) -> None:  # noqa: N802 - the server calls it by this name
        found = self._object()
        self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Length", str(found["size"] if found else 0))
        self.end_headers()

    def end_headers(self) -> None:
        if found := self._object():
            self.send_header("ETag", self._etag())
            self.send_header("Last-Modified", format_datetime(_time_of(found), usegmt=True))
        super().end_headers()

    def _listing(self, bucket: str) -> tuple[HTTPStatus, bytes]:
        query = self._query()
        try:
            files, prefixes = self.storage.get_file_list(bucket, query.get("prefix"), query.get("delimiter"))
        except NotFound:
            return HTTPStatus.NOT_FOUND, b""
        behind = query.get("continuation-token") or query.get("start-after") or ""
        files = sorted((file for file in files if file["name"] > behind), key=lambda file: file["name"])
        contents = "".join(
            f"<Contents><Key>{escape(file['name'])}</Key><Size>{file['size']}</Size><ETag>{_etag_of(file)}</ETag>"
            f"<LastModified>{_time_of(file).isoformat()}</LastModified></Contents>"
            for file in files[:PAGE]
        )
        folders = "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in prefixes)
        more = len(files) > PAGE
        token = f"<NextContinuationToken>{escape(files[PAGE - 1]['name'])}</NextContinuationToken>" if more else ""
        body = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}{folders}"
        return HTTPStatus.OK, f"{body}</ListBucketResult>".encode()

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        super().end_headers()
        self.wfile.write(body)

    def _target(self) -> tuple[str, str]:
        bucket, _, key = urlsplit(self.path).path.lstrip("/").partition("/")
        return bucket, unquote(key)

    def _query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}

    def _object(self) -> dict | None:
        try:
            return self.storage.get_file_obj(*self._target())
        except NotFound:
            return None

    def _etag(self) -> str | None:
        found = self._object()
        return _etag_of(found) if found else None


def _etag_of(file: dict) -> str:
    return f'"{file["generation"]}"'


def _time_of(file: dict) -> datetime:
    return datetime.fromisoformat(file["updated"].replace("Z", "+00:00"))


@contextmanager
def emulator(bucket: str) -> Iterator[dict[str, str]]:
    """Runs the emulator with one empty bucket; yields the environment by which obstore finds it."""
    storage = Storage(use_memory_fs=True)
    create_bucket(bucket, storage)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_XmlHandler, storage))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    account = {
        "gcs_base_url": f"http://127.0.0.1:{server.server_port}",
        "disable_oauth": True,
        "client_email": "",
        "private_key": "",
        "private_key_id": "",
    }
    try:
        yield {"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(account), "GOOGLE_ALLOW_HTTP": "true"}
    finally:
        server.shutdown()
        server.server_close()
