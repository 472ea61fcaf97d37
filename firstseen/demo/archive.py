"""Writes a small archive for demonstrations and tests: real photographs among a few hundred made scenes.

The photographs are those that scikit-image and scikit-learn ship: nothing is downloaded.
"""

import csv
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np

from firstseen.demo.edits import EDITS
from firstseen.demo.scenes import draw_scene
from foundation.checks import require_range
from foundation.errors import InputNotFoundError, UsageError
from foundation.photos import photo
from training.edits.degrade import to_jpeg

CATALOG = "catalog.csv"
CATALOG_COLUMNS = ("photo_id", "published_at", "caption", "credit", "source")

# File names and captions; the files lie inside the wheels of both libraries.
PHOTOGRAPHS = {
    "astronaut.png": "Astronaut Eileen Collins in her launch suit",
    "brick.png": "A brick wall",
    "camera.png": "A man behind a film camera on a tripod",
    "cell.png": "A single cell under the microscope",
    "chelsea.png": "Chelsea the cat",
    "china.jpg": "A tower of the Summer Palace above the lake, Beijing",
    "coins.png": "Coins of Pompeii on a dark cloth",
    "flower.jpg": "A dahlia in bloom",
    "grass.png": "Dry grass",
    "gravel.png": "Gravel",
    "hubble_deep_field.jpg": "Galaxies in the Hubble eXtreme Deep Field",
    "ihc.png": "A stained section of tissue under the microscope",
    "moon.png": "The surface of the Moon",
    "motorcycle_left.png": "A red motorcycle in a garage",
    "motorcycle_right.png": "A red motorcycle in a garage, seen from further right",
    "page.png": "A page of a printed book",
    "retina.jpg": "The retina of a human eye",
    "rocket.jpg": "A rocket on the launch pad before dawn",
    "text.png": "Handwriting on paper",
}
# This photograph is kept out of the archive, and looked up: a photo that was never seen has nearest neighbours too.
UNSEEN = "coffee.png"
# Scenes may cut their surfaces from these photographs.
TEXTURES = ("brick.png", "grass.png", "gravel.png", "ihc.png", "moon.png", "china.jpg")
# These come a second time, under another path and a later date, as agencies publish them.
PUBLISHED_AGAIN = ("chelsea.png", "rocket.jpg")
# Each edit of a query and the photograph that it is made of; every edit has another one.
QUERIES = {
    "reencode": "astronaut",
    "resize": "rocket",
    "brighten": "chelsea",
    "overlay_caption": "china",
    "crop": "motorcycle_left",
    "mirror": "camera",
    "rotate": "flower",
    "embed_in_screenshot": "coins",
}

FIRST_DAY = datetime(2016, 1, 4, 6, 30, tzinfo=timezone.utc)
DAYS = 3500
# Half of the photos know when they were taken, and the catalog misses some, so that every rule for dates is used.
EXIF_SHARE = 0.5
CATALOG_SHARE = 0.9
JPEG_QUALITY = 88
# Where EXIF keeps the date: tag DateTimeOriginal of the Exif directory.
EXIF_DIRECTORY, EXIF_DATE = 0x8769, 0x9003
SMALLEST_ARCHIVE = len(PHOTOGRAPHS) + len(PUBLISHED_AGAIN) + 1


@dataclass(frozen=True)
class DemoPhoto:
    """One file of the demo archive; `kind` is `photograph`, `made`, `duplicate` or `broken`."""

    photo_id: str
    kind: str
    name: str
    published_at: datetime
    caption: str


def write_demo_archive(folder: Path, *, photos: int = 300, seed: int = 0) -> list[DemoPhoto]:
    """Writes `photos` files into the new directory `folder`, and `catalog.csv` beside it; returns what was written.

    Among them are 19 photographs, 2 exact duplicates and 1 broken file; the rest are made scenes. The same seed gives
    the same archive. Raises UsageError if `folder` holds files, `photos` is too small, or the demo's libraries miss.
    """
    require_range("photos", photos, SMALLEST_ARCHIVE, remedy="the demo archive holds that many photographs")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} holds files already; expected a new or empty folder for the demo archive")
    generator = np.random.default_rng(seed)
    listed = _plan(generator, photos)
    photographs = {name: _read_photograph(name) for name in PHOTOGRAPHS}
    textures = [photographs[name] for name in TEXTURES]
    for item in listed:
        path = folder / item.photo_id
        path.parent.mkdir(parents=True, exist_ok=True)
        if item.kind == "duplicate":
            original = next(other for other in listed if other.name == item.name)
            shutil.copyfile(folder / original.photo_id, path)
        elif item.kind == "broken":
            # An error page under the name of a photo is what a failed download leaves behind.
            path.write_text("<!doctype html><title>503</title><p>The image server is busy.</p>\n")
        else:
            made = item.kind == "made"
            picture = draw_scene(generator, textures=textures) if made else photographs[item.name]
            _write_jpeg(path, picture, item.published_at if generator.random() < EXIF_SHARE else None)
    _write_catalog(folder.parent / CATALOG, listed, generator)
    return listed


def write_demo_queries(archive: Path, folder: Path) -> list[Path]:
    """Writes one edited copy per edit of photographs of the demo archive, and one photo that it does not hold.

    The names say what was done: `crop-of-motorcycle_left.jpg`, `unseen-coffee.jpg`. Returns the paths, sorted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for edit, stem in QUERIES.items():
        originals = sorted(archive.rglob(f"{stem}.jpg"))
        if not originals:
            raise InputNotFoundError(f"no {stem}.jpg below {archive}; expected an archive of write_demo_archive")
        original = photo.decode(originals[0].read_bytes(), with_metadata=False).pixels
        paths.append(folder / f"{edit.replace('_', '-')}-of-{stem}.jpg")
        paths[-1].write_bytes(to_jpeg(EDITS[edit](original)))
    paths.append(folder / f"unseen-{Path(UNSEEN).stem}.jpg")
    paths[-1].write_bytes(to_jpeg(_read_photograph(UNSEEN)))
    return sorted(paths)


def _plan(generator: np.random.Generator, photos: int) -> list[DemoPhoto]:
    """Returns the files in the order of their dates; a duplicate comes after its original."""
    kinds = [("photograph", name) for name in PHOTOGRAPHS]
    kinds += [("made", f"IMG_{number:04d}.jpg") for number in range(photos - SMALLEST_ARCHIVE)]
    generator.shuffle(kinds)
    kinds.append(("broken", "IMG_download.jpg"))
    kinds += [("duplicate", name) for name in PUBLISHED_AGAIN]
    days = np.sort(generator.uniform(0, DAYS, photos))
    return [
        _plan_one(kind, name, FIRST_DAY + timedelta(days=float(day)))
        for (kind, name), day in zip(kinds, days, strict=True)
    ]


def _plan_one(kind: str, name: str, published_at: datetime) -> DemoPhoto:
    stem = Path(name).stem + ("_again" if kind == "duplicate" else "")
    caption = PHOTOGRAPHS.get(name, "A made scene of the demo archive")
    return DemoPhoto(
        photo_id=f"{published_at:%Y/%m}/{stem}.jpg",
        kind=kind,
        name=name,
        published_at=published_at.replace(microsecond=0),
        caption=caption,
    )


def _read_photograph(name: str) -> np.ndarray:
    """Returns a photograph that scikit-image or scikit-learn ships: uint8 RGB."""
    return photo.decode(_find_photograph(name).read_bytes(), with_metadata=False).pixels


def _find_photograph(name: str) -> Path:
    for directory in _photograph_directories():
        if (directory / name).is_file():
            return directory / name
    raise InputNotFoundError(
        f"scikit-image and scikit-learn ship no {name} here; install the pinned ones: pip install '.[cpu,demo]'"
    )


def require_photographs() -> None:
    """Raises UsageError or InputNotFoundError unless the libraries that ship the photographs are installed."""
    for name in (*PHOTOGRAPHS, UNSEEN):
        _find_photograph(name)


def _photograph_directories() -> list[Path]:
    try:
        import skimage
        import sklearn
    except ImportError as error:
        raise UsageError(
            f"the demo archive needs the photographs that {error.name} ships; pip install '.[cpu,demo]', or name "
            "your own photos with --archive"
        ) from error
    return [
        Path(skimage.__file__).parent / "data",
        Path(sklearn.__file__).parent / "datasets" / "images",
    ]


def _write_jpeg(path: Path, picture: np.ndarray, taken_at: datetime | None) -> None:
    from PIL import Image

    exif = Image.Exif()
    if taken_at:
        exif.get_ifd(EXIF_DIRECTORY)[EXIF_DATE] = f"{taken_at:%Y:%m:%d %H:%M:%S}"
    Image.fromarray(picture).save(path, quality=JPEG_QUALITY, exif=exif)


def _write_catalog(path: Path, listed: list[DemoPhoto], generator: np.random.Generator) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(CATALOG_COLUMNS)
        for item in listed:
            # A real catalog misses some; of the photographs that people will look for it misses none.
            if (item.kind == "made" and generator.random() > CATALOG_SHARE) or item.kind == "broken":
                continue
            credit = "firstseen demo" if item.kind == "made" else "scikit-image / scikit-learn"
            writer.writerow([item.photo_id, item.published_at.isoformat(), item.caption, credit, "demo archive"])
