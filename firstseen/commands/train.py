"""Trains an encoder by a recipe, with the settings that the options change: train."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from firstseen.commands.options import StoreOption, path
from firstseen.commands.streams import tell
from foundation.errors import UsageError
from training.choices import LOSSES, SCHEDULES, Scalar


def train(
    source: Annotated[str, typer.Option(help="tfds:NAME[/SPLIT], a folder of images, or tar or Parquet files.")],
    store: StoreOption,
    recipe: Annotated[str, typer.Option(help="Name of a file in training/recipes.")] = "convolutional",
    data_dir: Annotated[Path | None, typer.Option(parser=path, help="Where TensorFlow Datasets are prepared.")] = None,
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
    init: Annotated[
        str | None, typer.Option(help="Begin with the weights of this encoder of the store; default: random ones.")
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(help="keras:NAME: this model of keras.applications; its weights by --set weights=FILE."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same split and start.")] = 0,
    devices: Annotated[
        str, typer.Option(help="Train on all of these at once: GPU:0,GPU:1; default: every GPU, else the CPU.")
    ] = "",
    mixed_precision: Annotated[
        bool | None, typer.Option(help="Compute in half precision where it is safe; default: on GPUs.")
    ] = None,
    work_dir: Annotated[
        Path | None,
        typer.Option(
            parser=path, help="Where an interrupted training resumes from; default: ~/.cache/firstseen/training."
        ),
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew instead of resuming.")] = False,
    photo_cache: Annotated[
        Path | None, typer.Option(parser=path, help="Keep decoded photos here, for other trainings; default: not kept.")
    ] = None,
    log_dir: Annotated[
        Path | None, typer.Option(parser=path, help="Write curves for TensorBoard below this folder; default: none.")
    ] = None,
) -> None:
    """Train an encoder and put it into the store."""
    from firstseen.commands.epoch_line import EpochLine
    from firstseen.commands.progress import ProgressLine
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
    options = TrainOptions(
        source=source,
        store=store,
        recipe=recipe,
        overrides=merge_settings(settings or [], {name: value for name, value in named.items() if value is not None}),
        data_dir=data_dir,
        max_photos=max_photos,
        init=init,
        backbone=backbone,
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
            displays=[EpochLine()],
        )
    if log_dir:
        tell(f"curves: tensorboard --logdir {shlex.quote(str(log_dir))}")
    tell(f"encoder {encoder_id} is in the store")
    tell(f"next: firstseen encode ARCHIVE --store {shlex.quote(store)} --encoder {encoder_id}")


def merge_settings(settings: list[str], named: dict[str, Scalar]) -> dict[str, Scalar]:
    """Returns the NAME=VALUE pairs of --set together with the settings that have an option of their own.

    Raises UsageError on a setting that is given twice: which of the values was meant is not for us to choose.
    """
    merged = dict(named)
    given = {name: f"{option_of(name)} {value}" for name, value in named.items()}
    for setting in settings:
        name, value = parse_setting(setting)
        if name in merged:
            raise UsageError(f"{given[name]} and --set {setting} both set {name}; expected one of them: leave one out")
        merged[name], given[name] = value, f"--set {setting}"
    return merged


def option_of(name: str) -> str:
    """Returns the option of a setting that has one."""
    return "--latent-dim" if name == "dimension" else f"--{name.replace('_', '-')}"


def parse_setting(text: str) -> tuple[str, Scalar]:
    """Returns name and value of NAME=VALUE; a whole number, a number, true and false become such."""
    name, separator, value = text.partition("=")
    if not separator:
        raise UsageError(f"--set {name} has no value; expected NAME=VALUE")
    return name, parse_value(value)


def parse_value(text: str) -> Scalar:
    """Returns the number or truth value that the text spells, else the text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
