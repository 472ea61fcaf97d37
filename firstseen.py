"""The command line: one verb per job, nothing but parsing and dispatch."""

import errno
import io
import logging
import os
import shlex
import signal
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from training.epoch_line import EpochLine
from training.errors import (
    FirstseenError,
    InputNotFoundError,
    TemporaryError,
    TooManyRejectsError,
    UsageError,
)
from training.progress_line import ProgressLine
from training.recipe import LOSSES, SCHEDULES

if TYPE_CHECKING:
    from pipelines.embedding_schema import Run
    from serving.answers import Answer
    from serving.matcher import MatchOptions

INTERRUPTED = 130
GRACE_SECONDS = 3

Dtype = Literal["float32", "float16"]

app = typer.Typer(
    help="Tells whether a photo has been seen before, when first, and what was done to it since.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StoreOption = Annotated[str, typer.Option("--store", help="The store: a local directory, gs://… or s3://…")]
EncoderOption = Annotated[
    str | None, typer.Option("--encoder", help="Encoder id; default: the live snapshot's, or the only one.")
]
SnapshotOption = Annotated[int | None, typer.Option("--snapshot", help="Snapshot number; default: the live one.")]
RunnerOption = Annotated[str, typer.Option("--runner", help="local, or any Beam runner by name.")]
# Typer hands what follows `--` to the last argument; Beam checks every flag.
BeamFlags = Annotated[list[str] | None, typer.Argument(help="Beam's own flags, after `--`.", metavar="[-- BEAM]")]


@app.command()
def train(
    source: Annotated[str, typer.Option(help="tfds:NAME[/SPLIT], a folder of images, or tar or Parquet files.")],
    store: StoreOption,
    recipe: Annotated[str, typer.Option(help="Name of a file in training/recipes.")] = "convolutional",
    data_dir: Annotated[Path | None, typer.Option(help="Where TensorFlow Datasets are prepared.")] = None,
    latent_dim: Annotated[int | None, typer.Option("--latent-dim", "--dimension", help="Numbers per vector.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of the square the encoder sees, in pixels.")] = None,
    channels: Annotated[int | None, typer.Option(help="3 for colour, 1 for grey.")] = None,
    distance: Annotated[str | None, typer.Option(help="cosine or euclidean.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the photos, at most.")] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a better validation loss; 0: never.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Photos per step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    schedule: Annotated[
        str | None, typer.Option(help=f"How the learning rate goes on: {', '.join(SCHEDULES)}.")
    ] = None,
    loss: Annotated[str | None, typer.Option(help=f"What is minimised: {', '.join(LOSSES)}.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE: any other setting of the recipe.")
    ] = None,
    max_photos: Annotated[int | None, typer.Option(help="Train on that many photos of the source.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same split and start.")] = 0,
    devices: Annotated[
        str, typer.Option(help="Train on all of these at once: GPU:0,GPU:1; default: every GPU, else the CPU.")
    ] = "",
    mixed_precision: Annotated[
        bool | None, typer.Option(help="Compute in half precision where it is safe; default: on GPUs.")
    ] = None,
    work_dir: Annotated[
        Path | None,
        typer.Option(help="Where an interrupted training resumes from; default: ~/.cache/firstseen/training."),
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew instead of resuming.")] = False,
    photo_cache: Annotated[
        Path | None, typer.Option(help="Keep decoded photos here, for other trainings; default: not kept.")
    ] = None,
    log_dir: Annotated[
        Path | None, typer.Option(help="Write curves for TensorBoard below this folder; default: none.")
    ] = None,
) -> None:
    """Train an encoder and put it into the store."""
    from training.train import TrainOptions
    from training.train import train as train_encoder

    named = {
        "dimension": latent_dim,
        "size": size,
        "channels": channels,
        "distance": distance,
        "epochs": epochs,
        "patience": patience,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "loss": loss,
    }
    overrides = parse_settings(settings or []) | {name: value for name, value in named.items() if value is not None}
    options = TrainOptions(
        source=source,
        store=store,
        recipe=recipe,
        overrides=overrides,
        data_dir=data_dir,
        max_photos=max_photos,
        seed=seed,
        devices=tuple(filter(None, devices.split(","))),
        mixed_precision=mixed_precision,
        work_dir=work_dir,
        restart=restart,
        photo_cache=photo_cache,
        log_dir=log_dir,
    )
    with ProgressLine("decoding") as progress:
        encoder_id = train_encoder(
            options,
            on_photos=lambda done, listed, rejected: progress.show(listed, done - rejected, rejected),
            line=EpochLine(),
        )
    if log_dir:
        tell(f"curves: tensorboard --logdir {shlex.quote(str(log_dir))}")
    tell(f"encoder {encoder_id} is in the store")
    tell(f"next: firstseen encode ARCHIVE --store {shlex.quote(store)} --encoder {encoder_id}")


@app.command()
def encode(
    archive: Annotated[Path, typer.Argument(help="The folder of photos.")],
    store: StoreOption,
    beam_flags: BeamFlags = None,
    encoder: EncoderOption = None,
    catalog: Annotated[
        Path | None, typer.Option(help="CSV or Parquet: photo_id, published_at, caption, credit, source.")
    ] = None,
    runner: RunnerOption = "local",
    workers: Annotated[int, typer.Option(help="Processes of the local runner.")] = 1,
    dtype: Annotated[Dtype, typer.Option(help="float32, or float16 for half the size.")] = "float32",
    batch_size: Annotated[int, typer.Option(help="Photos per call of the encoder.")] = 64,
    max_rejects: Annotated[float, typer.Option(help="Share of rejects above which the exit code is 3.")] = 0.01,
) -> None:
    """Encode an archive into embedding shards."""
    from pipelines.encode import EncodeOptions
    from pipelines.encode import encode as encode_archive

    if not 0 <= max_rejects <= 1:
        raise UsageError(f"max-rejects is {max_rejects}; expected a share from 0 to 1")
    options = EncodeOptions(
        archive=archive,
        store=store,
        encoder=encoder,
        catalog=catalog,
        runner=runner,
        workers=workers,
        dtype=dtype,
        batch_size=batch_size,
        beam_flags=beam_flags or [],
    )
    with ProgressLine("encoding") as progress:
        run = encode_archive(options, on_progress=progress.show)
    report_run(run, store=store, max_rejects=max_rejects)
    tell(f"next: firstseen index --store {shlex.quote(store)} --encoder {run.encoder_id}")


@app.command()
def index(
    store: StoreOption,
    beam_flags: BeamFlags = None,
    encoder: EncoderOption = None,
    min_recall: Annotated[float, typer.Option(help="recall@10 under which nothing is published.")] = 0.95,
    exact_below: Annotated[int, typer.Option(help="Rows under which a segment is searched exactly.")] = 20_000,
    max_segment_rows: Annotated[int, typer.Option(help="Rows per segment; bounds the memory.")] = 1_000_000,
    runner: RunnerOption = "local",
) -> None:
    """Build segments of what is not indexed yet and publish a snapshot."""
    from pipelines.build_index import build_index
    from pipelines.segment_plan import IndexOptions
    from training.store import Store

    options = IndexOptions(max_segment_rows=max_segment_rows, exact_below=exact_below, min_recall=min_recall)
    result = build_index(Store(store), encoder=encoder, options=options, runner=runner, beam_flags=beam_flags or [])
    for segment in result.added:
        measured = f", recall@10 {segment.recall_at_10:.3f}" if segment.kind == "scann" else ""
        tell(f"segment {segment.segment_id}: {segment.rows:,} contents, {segment.kind} search{measured}")
    if result.replaced:
        old = result.replaced
        tell(f"they replace snapshot {old.number}: {old.photos:,} photos of encoder {old.encoder_id}")
    if not result.added:
        tell("nothing to index: the live snapshot holds every run of its encoder")
    tell(f"snapshot {result.snapshot.number} is live: {result.snapshot.photos:,} photos")
    tell(f"next: firstseen lookup PHOTO --store {shlex.quote(store)}")


@app.command()
def lookup(
    queries: Annotated[list[str], typer.Argument(help="Photos, folders, an inventory (.parquet), or - for a list.")],
    store: StoreOption,
    snapshot: SnapshotOption = None,
    top_k: Annotated[int, typer.Option(help="Matches per query.")] = 10,
    min_score: Annotated[float, typer.Option(help="Leave out matches that score less.")] = 0.0,
    format: Annotated[
        str | None, typer.Option(help="table, json, jsonl, csv, parquet or html; default: as --output ends, or table.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="File to write; default: stdout.")] = None,
    decode: Annotated[
        Path | None, typer.Option(metavar="DIR", help="New folder for the matches, decoded from their vectors, as PNG.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Queries per call of the encoder.")] = 64,
) -> None:
    """Look photos up in the live snapshot."""
    from pipelines.queries import list_queries
    from serving.formats import check_format, check_output, format_of, write_answers
    from serving.matcher import MatchOptions

    format = format or format_of(output)
    check_format(format, output)
    if output:
        check_output(output, store=store, queries=queries)
    if decode:
        check_decode(decode, store, queries=queries, output=output, snapshot=snapshot)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # file names need not be text
    options = MatchOptions(top_k=top_k, min_score=min_score, batch_size=batch_size)
    names = list_queries(queries, stdin=sys.stdin)
    statuses: Counter[str] = Counter()
    with open_answers(store, names, snapshot=snapshot, options=options, decode=decode) as (answers, facts):
        counted = counting(answers, statuses)
        if format == "html" and output:
            write_html(counted, output=output, facts=facts, decoded=decode)
        else:
            write_answers(counted, name=format, output=output)
    total = statuses.total()
    if not total:
        raise InputNotFoundError("no query was given; expected photos, a folder with files, or a list on stdin")
    tell(f"{total:,} queries: " + ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items())))
    if decode:
        tell(f"{decode} holds the matches as decoded from their vectors; decoded.csv there says which is which")
    if statuses["rejected"] == total:
        raise InputNotFoundError("every query was rejected; the reason stands in each answer")


@app.command()
def status(
    store: StoreOption,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the store holds and what is live."""
    from pipelines.store_check import describe, read_status
    from training.artifact import to_json
    from training.store import Store

    found = read_status(Store(store))
    typer.echo(to_json(found).decode().rstrip() if as_json else "\n".join(describe(found)))


@app.command()
def verify(store: StoreOption, snapshot: SnapshotOption = None) -> None:
    """Check the digest of every file that a snapshot lists."""
    from pipelines.store_check import verify as verify_store
    from training.store import Store

    checked, size_bytes = verify_store(Store(store), snapshot, on_artifact=lambda path: tell(f"checking {path}"))
    typer.echo(f"snapshot {checked.number} is whole: {size_bytes:,} bytes checked")


@app.command()
def rollback(
    store: StoreOption,
    to: Annotated[int | None, typer.Option(help="Snapshot to return to; default: the live one's parent.")] = None,
) -> None:
    """Make an earlier snapshot live again, as a new snapshot."""
    from pipelines.index_manifest import roll_back
    from training.store import Store

    snapshot = roll_back(Store(store), to)
    typer.echo(f"snapshot {snapshot.number} is live: {snapshot.reason}, {snapshot.photos:,} photos")


@app.command()
def demo(
    archive: Annotated[
        Path | None, typer.Option(help="A folder of photos; default: one made from photos of scikit-image.")
    ] = None,
    directory: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("demo"),
) -> None:
    """Go the whole way once on a small archive: train, encode, index, look up, and write a page."""
    from training.demo import prepare_demo

    paths = prepare_demo(directory, archive=archive)
    store = str(paths.store)
    tell(f"an archive of photos lies in {paths.archive}, edited copies of some in {paths.queries}")
    started = time.monotonic()
    step("firstseen", "train", "--source", str(paths.archive), "--store", store)
    catalog = ["--catalog", str(paths.catalog)] if paths.catalog else []
    step("firstseen", "encode", str(paths.archive), "--store", store, *catalog)
    # So few photos would be searched exactly; the demo shows what a large archive gets.
    step("firstseen", "index", "--store", store, "--exact-below", "100")
    step("firstseen", "lookup", str(paths.queries), "--store", store, "--top-k", "3")
    page = ["--format", "html", "--output", str(paths.page)]
    step("firstseen", "lookup", str(paths.queries), "--store", store, "--top-k", "3", *page)
    tell(f"done in {time.monotonic() - started:.0f} s; open {paths.page} in a browser")
    tell(f"next: firstseen lookup PHOTO --store {shlex.quote(store)}")


@app.command()
def study(
    output: Annotated[Path, typer.Option(help="Where the page and its pictures are written.")] = Path("docs/study"),
    work_dir: Annotated[
        Path, typer.Option(help="Encoders, photos and results; what is finished there is not done again.")
    ] = Path("study"),
    datasets: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset", help="mnist or fashion_mnist, may be given twice; default: both, or none beside --colour."
        ),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where TensorFlow Datasets are prepared.")] = None,
    colour: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="SOURCE TEST_SOURCE", help="Colour photographs too, as train --source takes them."),
    ] = None,
    page_only: Annotated[bool, typer.Option("--page-only", help="Write the page of what was studied so far.")] = False,
) -> None:
    """Train, evaluate and compare every encoder of the literature; about two hours on two cores."""
    try:
        from training.study.page import write_page
        from training.study.run import study as run_study
    except ModuleNotFoundError as error:
        raise UsageError(f"the study needs {error.name}, which is not installed; pip install '.[cpu,study]'") from error
    from training.study.plan import plan
    from training.study.workplace import Workplace

    workplace = Workplace(work_dir, data_dir)
    planned = plan(datasets or [], colour)
    if not page_only:
        output.mkdir(parents=True, exist_ok=True)  # refused now, not after hours
        run_study(planned, workplace, tell=tell, make_line=EpochLine)
    write_page(workplace.results, output)
    tell(f"next: open {output / 'index.html'} in a browser")


def step(*command: str) -> None:
    """Shows a command as a user would type it, and runs it in this process: TensorFlow is loaded once."""
    tell(f"\n$ {shlex.join(command)}")
    code = run(list(command[1:]))
    if code not in (0, TooManyRejectsError.exit_code):
        raise typer.Exit(code)


def parse_settings(settings: list[str]) -> dict[str, int | float | str | bool]:
    """Returns NAME=VALUE pairs as a dictionary; whole numbers, numbers and true/false become such."""
    pairs = [setting.partition("=") for setting in settings]
    wrong = [name for name, separator, _ in pairs if not separator]
    if wrong:
        raise UsageError(f"--set {wrong[0]} has no value; expected NAME=VALUE")
    return {name: parse_value(value) for name, _, value in pairs}


def parse_value(text: str) -> int | float | str | bool:
    """Returns the number or truth value that the text spells, else the text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def report_run(run: "Run", *, store: str, max_rejects: float) -> None:
    """Tells what became of every photo; raises TooManyRejectsError above the limit."""
    counts = run.accounting
    tell(
        f"run {run.run_id} of encoder {run.encoder_id}: listed {counts.listed:,} = embedded {counts.embedded:,} + "
        f"exact duplicates {counts.duplicates:,} + rejected {counts.rejects:,} + unchanged {counts.unchanged:,}"
    )
    if run.photos_in_catalog is not None:
        tell(f"  the catalog names {run.photos_in_catalog:,} of them")
    for reason, count in sorted(counts.rejected.items(), key=lambda item: -item[1]):
        tell(f"  rejected {reason}: {count:,}")
    if counts.rejects:
        tell(f"  which, and why: {store.rstrip('/')}/{run.directory}/rejects-*.parquet")
    if counts.rejects > max_rejects * counts.listed:
        raise TooManyRejectsError(
            f"{counts.rejects / counts.listed:.1%} of the photos were rejected, expected at most {max_rejects:.1%}; "
            "the rest is usable"
        )


def check_decode(
    folder: Path, store_uri: str, *, queries: Iterable[str], output: Path | None, snapshot: int | None
) -> None:
    """Refuses a folder that cannot be used, and a snapshot whose encoder has no decoder, before anything is loaded."""
    from pipelines import sources
    from serving.decoded import check_decoder, check_folder
    from training.store import Store

    store = Store(store_uri)
    check_folder(folder, store=store, queries=map(sources.path_of, queries), output=output)
    check_decoder(store, snapshot)


@contextmanager
def open_answers(
    store_uri: str, names: Iterable[str], *, snapshot: int | None, options: "MatchOptions", decode: Path | None
) -> Iterator[tuple[Iterator[list["Answer"]], str]]:
    """Yields (the answers of each query, a line about the snapshot they come from)."""
    from pipelines import sources
    from serving.decoded import write_decoded
    from serving.matcher import Matcher, Query
    from serving.snapshot import OpenSnapshot
    from training.store import Store

    store = Store(store_uri)
    with OpenSnapshot(store, snapshot) as opened:
        matcher = Matcher(store, opened, options)
        queries = (Query(name, partial(sources.read, name)) for name in names)
        live = opened.snapshot
        facts = f"Snapshot {live.number} of {live.created_at[:10]} · {live.photos:,} photos · encoder {live.encoder_id}"
        answers = matcher.match_all(queries)
        if decode:
            answers = write_decoded(answers, folder=decode, decode=matcher.pictures)
        with closing(answers):  # however it ends: an unfinished list of files is removed
            yield answers, facts


def counting(answers: Iterable[list["Answer"]], statuses: Counter[str]) -> Iterator[list["Answer"]]:
    """Passes the answers on and counts the status of each query."""
    for one_query in answers:
        statuses[one_query[0].status] += 1
        yield one_query


def write_html(answers: Iterator[list["Answer"]], *, output: Path, facts: str, decoded: Path | None) -> None:
    """Writes the page, reading each photo once more for its picture."""
    from pipelines import sources
    from serving.page import write_page

    title = "Have we seen these photos before?"
    write_page(answers, read=sources.read, output=output, title=title, facts=facts, decoded=decoded)


def tell(line: str) -> None:
    """Prints one line for a person: to stderr, since stdout carries data only."""
    typer.echo(line, err=True)


def quiet_libraries() -> None:
    """Keeps what TensorFlow, Beam and Pillow say about themselves off the terminal, before they are imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    # With a handler there, neither a library's first warning nor Beam's options set up logging to stderr.
    logging.getLogger().addHandler(logging.NullHandler())
    # A damaged EXIF block is an everyday matter in an archive.
    warnings.filterwarnings("ignore", module=r"PIL\.")


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; an error is one line on stderr."""
    try:
        if "" in arguments:
            raise UsageError("one argument is empty; expected a value: is a variable unset?")
        return app(arguments or ["--help"], prog_name="firstseen", standalone_mode=False) or 0
    except typer.TyperException as error:
        tell(f"firstseen: {error.format_message()}; see firstseen --help")
        return UsageError.exit_code
    except FirstseenError as error:
        if error.exit_code == FirstseenError.exit_code:
            traceback.print_exc()  # nobody expected this: whoever mends it needs to see where
        tell(f"firstseen: {error}")
        return error.exit_code
    except (BrokenPipeError, SystemExit):  # Typer turns the first into the second
        # The reader of stdout went away, as `head` does: nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return unreadable(error) if error.filename else unexpected(error)
        tell(f"firstseen: {error.strerror}: {error.filename or 'temporary files'}; free some space and run again")
        return TemporaryError.exit_code
    except Exception as error:
        return out_of_memory(error) if is_out_of_memory(error) else unexpected(error)


def is_out_of_memory(error: Exception) -> bool:
    """Returns whether Python, or TensorFlow in its own words, asked for more memory than there is."""
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def out_of_memory(error: Exception) -> int:
    """Says in one line that memory is too small, and what lowers the need; returns the exit code."""
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    tell(f"firstseen: more memory was needed than there is ({first[:120]}); lower --batch-size, --size or the widths")
    return UsageError.exit_code


def unreadable(error: OSError) -> int:
    """Says in one line which file or folder could not be used; returns the exit code."""
    tell(f"firstseen: {error.strerror}: {error.filename!r}; check the name and its access rights")
    return InputNotFoundError.exit_code


def unexpected(error: Exception) -> int:
    """Shows where an error that is a defect came from, then says so in one line; returns the exit code."""
    traceback.print_exc()
    tell(f"firstseen: unexpected {type(error).__name__}: {error}; this is a defect, please report it")
    return FirstseenError.exit_code


def main() -> None:
    """Runs the command line and exits with its code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # what `nohup` and `&` ask for is respected
            signal.signal(number, interrupt)
    # A stream that was closed before the start is None, and would fail at the first word.
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    quiet_libraries()
    code = run(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done: its exit code stands
    if code == INTERRUPTED:
        leave()
    sys.exit(code)


def interrupt(*_: object) -> None:
    """Ends the command, tidily if that takes a few seconds only: a pipeline may wait for its workers for ever.

    A scheduler stops a job with SIGTERM: it ends as with Ctrl-C.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What an interruption breaks in the threads of a pipeline is no news.
    threading.excepthook = lambda _: None
    timer = threading.Timer(GRACE_SECONDS, leave)
    timer.daemon = True
    timer.start()
    raise KeyboardInterrupt


def leave() -> None:
    """Says that the command was interrupted, and leaves at once: the threads of a pipeline do not stop when asked."""
    tell("firstseen: interrupted; what was finished before is untouched, run again to go on")
    sys.stdout.flush()
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
