"""Writes the archive of an evaluation as a folder of photos with a catalog, some of them in it twice."""

import csv
import io
from datetime import datetime, timedelta, timezone
from pathlib import Path

from evaluation.copies.plan import Plan
from foundation.archives.archive import read
from foundation.files import replace_file

# Each fifth photo lies in the archive twice, the other time published ten years before: which date is first seen is
# then more than the date of the file that was found.
REPEATED = 5
FIRST_DAY = datetime(2010, 1, 1, tzinfo=timezone.utc)
EARLIER = timedelta(days=3_652)


def publications(plan: Plan) -> dict[str, dict[str, datetime]]:
    """Returns, by photo, the names of its files in the folder and when each was published."""
    dates = {}
    for number, one in enumerate(plan.archive):
        name, date = f"{one.key}{one.suffix}", FIRST_DAY + timedelta(days=number)
        dates[one.key] = {name: date} | ({f"earlier/{name}": date - EARLIER} if number % REPEATED == 0 else {})
    return dates


def first_published(plan: Plan) -> dict[str, datetime]:
    """Returns the date that is right for each photo."""
    return {key: min(dates.values()) for key, dates in publications(plan).items()}


def write_archive(plan: Plan, folder: Path, catalog: Path) -> None:
    """Writes the files that are missing, and the catalog."""
    photos = plan.photos
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["photo_id", "published_at"])
    for key, dates in publications(plan).items():
        for name, date in dates.items():
            writer.writerow([name, date.isoformat()])
            if not (folder / name).exists():
                replace_file(folder / name, read(photos[key].uri))
    replace_file(catalog, text.getvalue().encode())
