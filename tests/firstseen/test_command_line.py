"""The command line: exit codes, one clear line per error, data on stdout and nothing else."""

import csv
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from pyarrow import parquet

from firstseen.commands.running import run
from foundation.errors import TemporaryError
from foundation.store.files import Store
from serving.answers import SCHEMA
from tests.builders import add_encoder, add_run, unit_vectors
from tests.conftest import REPOSITORY, Desk
from tests.photos import jpeg, scene, write_archive

VERBS = ("train", "encode", "index", "lookup", "status", "verify", "rollback", "demo")


def one_error_line(capsys: pytest.CaptureFixture) -> str:
    """Returns the last line of stderr, which must be the only one that names the program."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("firstseen:")]
    assert len(lines) == 1
    return lines[0]


def photo_of(desk: Desk, number: int = 0) -> str:
    """Returns the path of one photo of the archive."""
    return str(sorted(desk.archive.rglob("*.jpg"))[number])


def modules_after(*arguments: str) -> set[str]:
    """Returns the top-level modules that a command has imported, in a process of its own."""
    script = (
        "import sys\nfrom firstseen.commands.running import run\n"
        "try: run(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--help"], *([verb, "--help"] for verb in VERBS)])
def test_help_loads_nothing_heavy(arguments: list[str]):
    """Help answers at once because none of the large libraries is imported for it."""
    assert not modules_after(*arguments) & {"tensorflow", "keras", "apache_beam", "pyarrow", "scann", "cv2", "numpy"}


def test_status_loads_nothing_heavy(live_desk: Desk):
    """Status reads descriptions only."""
    heavy = {"tensorflow", "keras", "apache_beam", "pyarrow", "scann", "cv2"}
    assert not modules_after("status", "--store", str(live_desk.store)) & heavy


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture):
    """Each verb says what it does, and exits with 0."""
    assert run([verb, "--help"]) == 0
    assert f"firstseen {verb}" in capsys.readouterr().out


def test_the_whole_way_by_commands(store: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    """encode, index, lookup, verify, a second run, rollback: each ends with 0 and names what comes next."""
    assert run(["encode", str(archive), "--store", str(store)]) == 0
    assert f"next: firstseen index --store {store}" in capsys.readouterr().err
    assert run(["index", "--store", str(store)]) == 0
    assert "snapshot 1 is live: 10 photos" in capsys.readouterr().err
    assert run(["lookup", str(archive), "--store", str(store), "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    firsts = [row for row in rows if row["rank"] == 1]
    assert [row["verdict"] for row in firsts] == ["identical"] * 10
    assert all(row["query"].endswith(row["photo_id"]) for row in firsts)
    write_archive(tmp_path / "more", photos=3, first_seed=50)
    assert run(["encode", str(tmp_path / "more"), "--store", str(store)]) == 0
    assert run(["index", "--store", str(store)]) == 0
    capsys.readouterr()
    assert run(["rollback", "--store", str(store)]) == 0
    assert "snapshot 3 is live: rollback to 1, 10 photos" in capsys.readouterr().out
    assert run(["verify", "--store", str(store)]) == 0
    assert "snapshot 3 is whole" in capsys.readouterr().out


def test_status_as_text_and_json(live_desk: Desk, capsys: pytest.CaptureFixture):
    """Both name the snapshot; the JSON has the numbers."""
    assert run(["status", "--store", str(live_desk.store)]) == 0
    assert "snapshot   1" in capsys.readouterr().out
    assert run(["status", "--store", str(live_desk.store), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["snapshot"]["number"] == 1
    assert found["runs_not_indexed"] == []


def test_every_format_holds_the_same_answers(live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture):
    """CSV, JSON, JSON Lines and Parquet agree row by row; the page and the table name the match."""
    command = ["lookup", photo_of(live_desk), "--store", str(live_desk.store), "--top-k", "3", "--format"]
    found = {}
    for name in ("jsonl", "json", "csv", "table"):
        assert run([*command, name]) == 0
        found[name] = capsys.readouterr().out
    for name in ("parquet", "html"):
        assert run([*command, name, "--output", str(tmp_path / name)]) == 0
    rows = [json.loads(line) for line in found["jsonl"].splitlines()]
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert list(rows[0]) == SCHEMA.names
    assert json.loads(found["json"]) == rows
    assert [row["photo_id"] for row in csv.DictReader(io.StringIO(found["csv"]))] == [row["photo_id"] for row in rows]
    table = parquet.read_table(tmp_path / "parquet")
    assert table.schema.equals(SCHEMA)
    assert table["photo_id"].to_pylist() == [row["photo_id"] for row in rows]
    for text in (found["table"], (tmp_path / "html").read_text()):
        assert rows[0]["photo_id"] in text
        assert "identical" in text


def test_queries_come_from_stdin_and_inventories(
    live_desk: Desk, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """`-` reads one path per line; the inventory of a run names every photo of its archive."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{photo_of(live_desk, 1)}\n\n{photo_of(live_desk, 2)}\n"))
    command = ["--store", str(live_desk.store), "--top-k", "1", "--format", "jsonl"]
    assert run(["lookup", "-", *command]) == 0
    assert [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()] == ["identical"] * 2
    (inventory,) = live_desk.store.glob("embeddings/*/*/inventory.parquet")
    assert run(["lookup", str(inventory), *command]) == 0
    assert [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()] == ["identical"] * 10


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("no-such-verb", 2, "no-such-verb"),
        ("lookup x.jpg", 2, "--store"),
        ("lookup {photo} --store {store} --top-k many", 2, "--top-k"),
        ("lookup {photo} --store {store} --top-k 0", 2, "top-k is 0"),
        ("lookup {photo} --store {store} --format xml", 2, "expected one of table"),
        ("lookup {photo} --store {store} --format parquet", 2, "--output"),
        ("lookup {photo} --store {store} --output /nowhere/x", 4, "/nowhere"),
        ("lookup {photo} --store {store} --snapshot 9", 4, "no snapshot 9"),
        ("lookup /nowhere.jpg --store {store}", 4, "every query was rejected"),
        ("lookup /nowhere.parquet --store {store}", 4, "/nowhere.parquet"),
        ("lookup {photo} --store /nowhere", 4, "no store at /nowhere"),
        ("lookup {photo} --store ftp://host/x", 2, "ftp"),
        ("encode /nowhere --store {store}", 4, "expected a folder"),
        ("encode {photo} --store {store}", 4, "is a file"),
        ("encode {archive} --store {store} --encoder none-1", 4, "no encoder 'none-1'"),
        ("encode {archive} --store {store} --workers 0", 2, "workers is 0"),
        ("encode {archive} --store {store} --dtype int8", 2, "int8"),
        ("encode {archive} --store {store} --runner Nope", 2, "Nope"),
        ("encode {archive} --store {store} -- --no_such_flag=1", 2, "--no_such_flag=1"),
        ("encode {archive} --store {store} --max-rejects 3", 2, "max-rejects is 3"),
        ("lookup {photo} --store {store} --format csv --output {store}/snapshots/1.json", 2, "lies in the store"),
        ("lookup {photo} --store {store} --format csv --output {photo}", 2, "among the queries"),
        ("lookup {archive} --store {store} --format csv --output {photo}", 2, "among the queries"),
        ("lookup {photo} --store {store} --batch-size 1000000000", 2, "batch-size is 1000000000"),
        ("lookup {photo} --store file://relative", 2, "no absolute path"),
        ("lookup {photo} --store {store} --output " + "x" * 300, 4, "File name too long"),
        ("index --store {store} --min-recall 2", 2, "min-recall is 2"),
        ("rollback --store {store}", 4, "no parent"),
        ("rollback --store {store} --to 5", 4, "no snapshot 5"),
        ("train --source {archive} --store {store} --recipe nope", 2, "convolutional"),
        ("train --source {archive} --store {store} --set nope", 2, "NAME=VALUE"),
        ("train --source /nowhere --store {store}", 4, "/nowhere"),
    ],
)
def test_bad_input_ends_in_one_line_and_the_right_code(
    desk: Desk, capsys: pytest.CaptureFixture, arguments: str, code: int, words: str
):
    """Received, expected, remedy; the store answers as before."""
    before = sorted(path for path in desk.store.rglob("*") if path.suffix == ".json")
    names = {"photo": photo_of(desk), "store": desk.store, "archive": desk.archive}
    assert run([word.format(**names) for word in arguments.split()]) == code
    assert words in one_error_line(capsys)
    assert sorted(path for path in desk.store.rglob("*") if path.suffix == ".json") == before


def test_an_empty_argument_is_not_the_current_folder(desk: Desk, capsys: pytest.CaptureFixture):
    """An unset variable must not look everything up that lies around."""
    assert run(["lookup", "", "--store", str(desk.store)]) == 2
    assert "one argument is empty" in one_error_line(capsys)


def test_closed_streams_are_no_defect(live_desk: Desk):
    """Without stdin, stdout and stderr the exit code still says how it ended."""
    command = shlex.join([sys.executable, "-m", "firstseen", "status", "--store", str(live_desk.store)])
    done = subprocess.run(f"{command} <&- >&- 2>&-", cwd=REPOSITORY, shell=True, check=False)  # noqa: S602
    assert done.returncode == 0


def test_rejects_above_the_limit_are_exit_code_3(store: Path, archive: Path, capsys: pytest.CaptureFixture):
    """The run is finished and usable; the line says how many and where the reasons lie."""
    (archive / "bad.jpg").write_bytes(b"")
    command = ["encode", str(archive), "--store", str(store)]
    assert run(command) == 3
    assert "9.1% of the photos were rejected, expected at most 1.0%" in one_error_line(capsys)
    assert run([*command, "--max-rejects", "0.1"]) == 0
    assert run(["index", "--store", str(store)]) == 0


@pytest.mark.parametrize("verb", ["lookup", "verify"])
def test_a_damaged_segment_is_exit_code_5(desk: Desk, capsys: pytest.CaptureFixture, verb: str):
    """One flipped bit is named with its file."""
    vectors = next(desk.store.glob("segments/*/vectors.npy"))
    data = bytearray(vectors.read_bytes())
    data[-1] ^= 1
    vectors.write_bytes(data)
    query = [photo_of(desk)] if verb == "lookup" else []
    assert run([verb, *query, "--store", str(desk.store)]) == 5
    assert "vectors.npy is damaged" in one_error_line(capsys)


def test_verify_finds_damage_anywhere_in_the_chain(desk: Desk, capsys: pytest.CaptureFixture):
    """Encoder, run and segment files, and their descriptions, are all covered by the snapshot's digests."""
    files = [path for path in desk.store.rglob("*") if path.is_file() and path.parent.name != "snapshots"]
    for path in files:
        original = path.read_bytes()
        path.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
        assert run(["verify", "--store", str(desk.store)]) == 5, path
        path.write_bytes(original)
    assert run(["verify", "--store", str(desk.store)]) == 0
    assert "is whole" in capsys.readouterr().out


def test_a_store_of_another_encoder_is_refused(desk: Desk, capsys: pytest.CaptureFixture):
    """An encoder that was swapped under a live snapshot answers nothing."""
    path = next(desk.store.glob("encoders/*/encoder.json"))
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    assert run(["lookup", photo_of(desk), "--store", str(desk.store)]) == 5
    assert "digest" in one_error_line(capsys)


def test_a_full_disk_is_exit_code_75(
    desk: Desk, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """The scheduler may retry; the old answers stand."""

    def full(*_, **__):
        raise TemporaryError("cannot write part-x: No space left on device; free some space and run again")

    monkeypatch.setattr("pipelines.encode.write_shards.write_parquet", full)
    write_archive(tmp_path / "more", photos=3, first_seed=90)
    assert run(["encode", str(tmp_path / "more"), "--store", str(desk.store)]) == 75
    assert "No space left" in one_error_line(capsys)
    assert run(["lookup", photo_of(desk), "--store", str(desk.store)]) == 0


def test_a_lost_race_is_exit_code_6(desk: Desk, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    """Somebody else's rollback is published first."""
    (desk.store / "snapshots" / "2.json").write_bytes((desk.store / "snapshots" / "1.json").read_bytes())
    monkeypatch.setattr("foundation.store.snapshots.snapshot_numbers", lambda store: [1])
    assert run(["rollback", "--store", str(desk.store), "--to", "1"]) == 6
    assert "run again" in one_error_line(capsys)


@pytest.mark.parametrize(
    ("signal_number", "seconds", "workers"),
    [(signal.SIGINT, 0, 1), (signal.SIGINT, 4, 1), (signal.SIGTERM, 4, 1), (signal.SIGINT, 6, 2)],
)
def test_an_interruption_ends_with_130_and_a_store_that_answers(
    desk: Desk, tmp_path: Path, signal_number: int, seconds: float, workers: int
):
    """An encode interrupted in the middle says one line; what was live is live, and the next run starts afresh."""
    folder = tmp_path / "large"
    folder.mkdir()
    data = jpeg(scene(1, width=3000, height=2000))
    for number in range(600):
        (folder / f"{number}.jpg").write_bytes(data + number.to_bytes(4, "big"))
    command = [sys.executable, "-m", "firstseen", "encode", str(folder), "--store", str(desk.store)]
    command += ["--workers", str(workers)]
    # What runs in the background may have been started with SIGINT ignored, and would pass that on.
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, preexec_fn=listen)
    while not list(desk.store.glob("embeddings/*/*/inventory.parquet"))[1:]:
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(seconds)
    process.send_signal(signal_number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert len(list(desk.store.glob("embeddings/*/*/run.json"))) == 1
    assert run(["lookup", photo_of(desk), "--store", str(desk.store)]) == 0
    assert run(["verify", "--store", str(desk.store)]) == 0


def test_a_reader_that_goes_away_is_no_error(live_desk: Desk):
    """`firstseen … | head -1` ends quietly."""
    command = [sys.executable, "-m", "firstseen", "status", "--store", str(live_desk.store)]
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(command, cwd=REPOSITORY, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert "Traceback" not in done.stderr


def test_an_output_file_is_replaced_only_by_a_whole_one(desk: Desk, tmp_path: Path):
    """A lookup that fails leaves the answers of last time."""
    output = tmp_path / "answers.csv"
    command = ["lookup", photo_of(desk), "--store", str(desk.store), "--format", "csv", "--output", str(output)]
    assert run(command) == 0
    before = output.read_bytes()
    shutil.rmtree(desk.store / "segments")
    assert run(command) == 4
    assert output.read_bytes() == before
    assert [path.name for path in tmp_path.glob(".answers*")] == []


def test_decode_writes_a_picture_per_match(live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture):
    """The answers on stdout are the same bytes as without it; decoded.csv names the file of each."""
    command = ["lookup", photo_of(live_desk), photo_of(live_desk, 4), "--store", str(live_desk.store), "--top-k", "3"]
    assert run([*command, "--format", "jsonl"]) == 0
    plain = capsys.readouterr().out
    assert run([*command, "--format", "jsonl", "--decode", str(tmp_path / "new")]) == 0
    decoded = capsys.readouterr()
    assert decoded.out == plain
    assert f"{tmp_path / 'new'} holds the matches" in decoded.err
    with (tmp_path / "new" / "decoded.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    keys = ("query", "rank", "photo_id")
    answers = [json.loads(line) for line in plain.splitlines()]
    assert [[row[key] for key in keys] for row in rows] == [[str(row[key]) for key in keys] for row in answers]
    assert {row["file"] for row in rows} == {path.name for path in (tmp_path / "new").glob("*.png")}
    assert len(rows) == 6


def test_decode_shows_in_the_page(live_desk: Desk, tmp_path: Path):
    """A decoded picture beside the query's and the match's."""
    page = tmp_path / "page.html"
    command = ["lookup", photo_of(live_desk), "--store", str(live_desk.store), "--top-k", "1", "--output", str(page)]
    assert run([*command, "--decode", str(tmp_path / "new")]) == 0
    assert page.read_text().count('src="data:image/jpeg') == 3


@pytest.mark.parametrize(
    ("folder", "code", "words"),
    [
        ("{used}", 2, "is not empty"),
        ("{store}/new", 2, "lies in the store"),
        ("{archive}/new", 2, "would be looked up"),
        ("/nowhere/new", 4, "/nowhere does not exist"),
    ],
)
def test_a_decode_folder_is_refused_before_anything_is_looked_up(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture, folder: str, code: int, words: str
):
    """One line, no answers, no files; a folder of queries named by its URI is the same folder."""
    used = tmp_path / "used"
    used.mkdir()
    (used / "mine.txt").write_text("mine")
    place = folder.format(used=used, store=desk.store, archive=desk.archive)
    output = tmp_path / "answers.csv"
    before = sorted(path for root in (tmp_path, desk.archive) for path in root.rglob("*"))
    queries = ["lookup", desk.archive.as_uri(), "--store", str(desk.store), "--output", str(output)]
    assert run([*queries, "--decode", place]) == code
    assert words in one_error_line(capsys)
    assert sorted(path for root in (tmp_path, desk.archive) for path in root.rglob("*")) == before


def test_decode_without_a_decoder_is_exit_code_2(live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture):
    """Known from the description alone: the encoder made here has no model that could be loaded."""
    made = Store(tmp_path / "made", create=True)
    add_run(made, add_encoder(made, dimension=8), "run1", unit_vectors(20, 8))
    assert run(["index", "--store", str(tmp_path / "made")]) == 0
    capsys.readouterr()
    command = ["lookup", photo_of(live_desk), "--store", str(tmp_path / "made"), "--decode", str(tmp_path / "new")]
    assert run(command) == 2
    assert "has no decoder" in one_error_line(capsys)
    assert not (tmp_path / "new").exists()


def test_every_option_of_a_training_arrives(monkeypatch: pytest.MonkeyPatch):
    """Named options change the recipe or the training; `--dimension` is another name of `--latent-dim`."""
    from training import train as training

    received = []

    def remember(options, **_listeners):
        received.append(options)
        return "encoder-1"

    monkeypatch.setattr(training, "train", remember)
    words = (
        "--source a --store s --recipe r --data-dir d --latent-dim 12 --size 20 --channels 1 --distance euclidean "
        "--epochs 3 --patience 2 --batch-size 5 --learning-rate 0.5 --schedule constant --loss mean_absolute_error "
        "--set filters=4 --max-photos 9 --seed 7 --devices GPU:0,GPU:1 --no-mixed-precision --work-dir w --restart "
        "--photo-cache p --log-dir l"
    )
    assert run(["train", *words.split()]) == 0
    assert received[0] == training.TrainOptions(
        source="a",
        store="s",
        recipe="r",
        overrides={
            "dimension": 12,
            "size": 20,
            "channels": 1,
            "distance": "euclidean",
            "epochs": 3,
            "patience": 2,
            "batch_size": 5,
            "learning_rate": 0.5,
            "schedule": "constant",
            "loss": "mean_absolute_error",
            "filters": 4,
        },
        data_dir=Path("d"),
        max_photos=9,
        work_dir=Path("w"),
        photo_cache=Path("p"),
        log_dir=Path("l"),
        restart=True,
        seed=7,
        devices=("GPU:0", "GPU:1"),
        mixed_precision=False,
    )
    assert run(["train", "--source", "a", "--store", "s", "--dimension", "6", "--mixed-precision"]) == 0
    assert received[1] == training.TrainOptions(source="a", store="s", overrides={"dimension": 6}, mixed_precision=True)


def test_an_interrupted_training_resumes_by_the_same_command(archive: Path, tmp_path: Path):
    """Ctrl-C ends it with 130 and one line; the next run says where it goes on, and writes nothing to stdout."""
    words = f"train --source {archive} --store {tmp_path}/store --work-dir {tmp_path}/work --log-dir {tmp_path}/logs "
    words += "--size 16 --latent-dim 8 --batch-size 1 --epochs 150 --set filters=2 --set halvings=1"
    command = [sys.executable, "-m", "firstseen", *words.split()]
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(command, cwd=REPOSITORY, stderr=errors, preexec_fn=listen)
        while "epoch 3 of 150" not in (tmp_path / "errors").read_text():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert (tmp_path / "errors").read_text().splitlines()[-1].startswith("firstseen: interrupted")
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == "10 photos of 10 listed; left out: 0 exact duplicates, 0 that cannot be used"
    epoch = int(lines[1].removeprefix("resuming after epoch ").split(" of 150, from ")[0])
    assert epoch >= 3
    assert lines[2].startswith(f"epoch {epoch + 1} of 150: loss ")
    assert lines[-3] == f"curves: tensorboard --logdir {tmp_path}/logs"
    assert "is in the store" in lines[-2]


def test_study_refuses_an_unknown_data_set_before_any_work(tmp_path, capsys):
    """A misspelt data set is answered with the names there are."""
    assert run(["study", "--dataset", "minst", "--work-dir", str(tmp_path / "work")]) == 2
    assert "no data set 'minst' in the study; expected one of: mnist, fashion_mnist" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_page_of_a_study_that_was_not_run(tmp_path, capsys):
    """Without results there is no page; the error says how to get some."""
    page = ["--page-only", "--work-dir", str(tmp_path / "work"), "--output", str(tmp_path / "page")]
    assert run(["study", *page]) == 4
    assert "firstseen study" in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


def test_study_without_its_libraries_names_them(monkeypatch, capsys):
    """The extra that is missing is a usage error, not a traceback."""
    monkeypatch.setitem(sys.modules, "evaluation.study.page", None)
    assert run(["study"]) == 2
    assert "pip install '.[cpu,study]'" in capsys.readouterr().err
