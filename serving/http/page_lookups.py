"""Looks photos up for the page, and gathers what it will show of them."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from foundation.errors import FirstseenError
from foundation.photos.shared_decoders import shared_decoders
from serving.http.bodies import Form, Upload
from serving.http.held import HeldLookup, HeldPicture, HeldQuery
from serving.http.looking_up import look_up
from serving.http.lookup_requests import MOST_NAME
from serving.http.pixels import bounded
from serving.http.problems import Problem
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.output.pictures import query_picture
from serving.search.snapshot import OpenSnapshot

if TYPE_CHECKING:
    from serving.http.service import Service

# A page says apart what is a copy and what only looks alike.
OPTIONS = MatchOptions(top_k=20, similar=True)


async def look_up_for_page(service: "Service", uploads: Sequence[Upload]) -> HeldLookup:
    """Returns what some photos came to; raises what `look_up` raises."""
    most_pixels = service.options.max_pixels
    queries = [_query(number, one, most_pixels) for number, one in enumerate(uploads, 1)]
    with service.live.hold() as held:
        looked = await look_up(service.live, queries, OPTIONS, held.snapshot.number)
        pictures = await _pictures(looked.outcomes, uploads)
        places = await asyncio.to_thread(lambda: [_occurrences(one, held.opened) for one in looked.outcomes])
    rows = zip(looked.outcomes, pictures, places, strict=True)
    return HeldLookup(looked.snapshot, [HeldQuery(outcome, picture, found) for outcome, picture, found in rows])


def uploads_of(form: Form) -> list[Upload]:
    """Returns the photos of a form; raises a Problem without any."""
    # A form without a choice sends one file without name and bytes.
    uploads = [one for one in form.files if one.field == "image" and (one.name or one.data)]
    if not uploads:
        raise Problem(422, "no_image", "no photo was chosen; expected one or more")
    return uploads


def _query(number: int, upload: Upload, most_pixels: int) -> Query:
    return Query(_as_chosen(upload.name)[:MOST_NAME] or f"photo {number}", partial(bounded, upload.data, most_pixels))


def _as_chosen(name: str) -> str:
    """Returns the name of a file as its folder has it: browsers escape these three letters in a form, and no other.

    So says the HTML standard, *Multipart form data*; a name that had `%22` in it before cannot be told apart.
    """
    for escaped, letter in (("%0A", "\n"), ("%0D", "\r"), ("%22", '"')):
        name = name.replace(escaped, letter)
    return name


async def _pictures(outcomes: Sequence[Outcome], uploads: Sequence[Upload]) -> list[HeldPicture | None]:
    """Returns each query as it is shown, decoded in processes of their own; None for one that was rejected."""
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        decoders = await asyncio.to_thread(stack.enter_context, shared_decoders())

        async def picture(outcome: Outcome, upload: Upload) -> HeldPicture | None:
            if outcome.status == "rejected":
                return None
            try:
                made = loop.run_in_executor(decoders.threads, decoders.call, query_picture, upload.data)
                return HeldPicture(*await made)
            except FirstseenError:
                return None

        return list(await asyncio.gather(*map(picture, outcomes, uploads)))


def _occurrences(outcome: Outcome, opened: OpenSnapshot) -> dict[bytes, list]:
    contents = {match.photo["content_sha256"] for match in outcome.matches}
    return {content: opened.occurrences(content) for content in contents}
