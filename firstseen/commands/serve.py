"""Answers lookups over HTTP until it is told to end: serve."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstseen.commands import logs
from firstseen.commands.options import options_of, path
from firstseen.commands.streams import tell
from foundation.errors import UsageError

if TYPE_CHECKING:
    from foundation.store.files import Store
    from serving.http.options import ServeOptions
    from serving.http.server import Ended, Opened
    from serving.live.live_searcher import LiveSearcher
    from serving.live.options import LiveOptions


def serve(
    store: Annotated[str | None, typer.Option("--store", help="The store: a local directory, gs://… or s3://…")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen at.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at; 0: a free one.  [default: 8080]")] = None,
    keys: Annotated[
        Path | None,
        typer.Option(parser=path, metavar="FILE", help="Answer only who has a key of this file: see `keys`."),
    ] = None,
    insecure: Annotated[
        bool | None, typer.Option("--insecure", help="Answer everybody who reaches the address, without a key.")
    ] = None,
    allow_uri: Annotated[
        list[str] | None,
        typer.Option(metavar="PREFIX", help="A folder, or s3://… or gs://…, below which queries may name photos."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A host that photos may be fetched from by http(s): img.example.org."),
    ] = None,
    max_body_bytes: Annotated[
        str | None, typer.Option(metavar="BYTES", help="Most bytes of a request, such as 32MB.  [default: 64MiB]")
    ] = None,
    max_bodies_bytes: Annotated[
        str | None, typer.Option(metavar="BYTES", help="Most bytes of all requests at a time.  [default: 512MiB]")
    ] = None,
    max_images: Annotated[int | None, typer.Option(help="Most queries of a request.  [default: 64]")] = None,
    max_pixels: Annotated[int | None, typer.Option(help="Most pixels of a query photo.  [default: 100000000]")] = None,
    header_seconds: Annotated[
        float | None, typer.Option(help="When the header of a request must be there.  [default: 10]")
    ] = None,
    body_seconds: Annotated[float | None, typer.Option(help="When its body must be there.  [default: 25]")] = None,
    request_seconds: Annotated[float | None, typer.Option(help="When it is given up.  [default: 60]")] = None,
    drain_notice_seconds: Annotated[
        float | None, typer.Option(help="At the end, time to answer and to say not to be asked.  [default: 2]")
    ] = None,
    drain_seconds: Annotated[
        float | None, typer.Option(help="At the end, time for what is being answered.  [default: 30]")
    ] = None,
    keep_minutes: Annotated[
        float | None, typer.Option(help="How long a result of the page is kept, in memory alone.  [default: 60]")
    ] = None,
    snapshot_poll_seconds: Annotated[
        float | None, typer.Option(help="How often to look for a newer snapshot.  [default: 15]")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Most queries per call of the encoder.  [default: 32]")] = None,
    queue_queries: Annotated[
        int | None, typer.Option(help="Most queries that are being answered at a time.  [default: 128]")
    ] = None,
    canaries: Annotated[
        int | None, typer.Option(help="Photos that a new snapshot must find before it answers.  [default: 8]")
    ] = None,
    deadline_seconds: Annotated[
        float | None, typer.Option(help="When a query that waits is given up.  [default: 30]")
    ] = None,
) -> None:
    """Answer lookups over HTTP."""
    # Every one of them is a flag, and no other name may get among them.
    flags = {name: flag for name, flag in locals().items() if flag is not None and flag != []}
    # Every verb loads this file, and would wait for it.
    import asyncio

    from foundation.memory import parse_bytes
    from foundation.store.files import Store
    from serving.http.options import ServeOptions, check_together
    from serving.http.server import bind
    from serving.http.service import check_files
    from serving.http.settings import read_settings
    from serving.live.options import LiveOptions

    sizes = {name: parse_bytes(f"--{name.replace('_', '-')}", flags[name]) for name in flags if name.endswith("_bytes")}
    given = read_settings() | flags | sizes
    if not given.get("store"):
        raise UsageError("no store is named; expected --store STORE, or FIRSTSEEN_SERVE_STORE")
    if "keys" in given:
        given["keys"] = path(given["keys"])
    options, live = options_of(ServeOptions, given), options_of(LiveOptions, given)
    check_together(options, live)
    check_files(options)
    with bind(options) as listening:
        ended = asyncio.run(_serve(Store(given["store"]), options, live, listening))
    if not ended.was_ready:
        raise KeyboardInterrupt
    if ended.cut_off:
        tell(f"ended: {ended.cut_off:,} requests were cut off; give them longer with --drain-seconds")
    else:
        tell("ended: what was asked is answered")


async def _serve(store: "Store", options: "ServeOptions", live: "LiveOptions", listening: Any) -> "Ended":
    from foundation.photos.shared_decoders import shared_decoders
    from serving.http.server import serve as serve_until_told

    opened: list[LiveSearcher] = []
    host, port = listening.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    tell(f"opening {store.uri}")

    def on_ready() -> None:
        tell(f"snapshot {opened[0].state().live} answers at {address}; Ctrl-C ends the service", address=address)

    # What the page and thumbnails decode in is kept: else each picture would start a process of its own.
    with shared_decoders():
        try:
            return await serve_until_told(
                lambda: _open(store, options, live, opened), listening, options, on_ready=on_ready
            )
        finally:
            for one in opened:
                one.close()


def _open(store: "Store", options: "ServeOptions", live: "LiveOptions", opened: "list[LiveSearcher]") -> "Opened":
    from foundation.without_pandas import leave_out_pandas
    from serving.http.metrics import Metrics
    from serving.http.server import Opened
    from serving.http.service import make_app
    from serving.live.live_searcher import LiveSearcher

    leave_out_pandas()
    metrics = Metrics()
    searcher = LiveSearcher.open(store, live, observe=metrics)
    opened.append(searcher)
    return Opened(make_app(searcher, options, store=store, metrics=metrics, log=_log), searcher.drain)


def _log(event: str, level: str, fields: Mapping[str, object]) -> None:
    """Writes a line of the log: JSON where it is asked for, else one line for a person."""
    if logs.is_on():
        logs.write(event, level, fields)
        return
    tell(" ".join([event, *(f"{name}={_plain(value)}" for name, value in fields.items())]))


def _plain(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)
