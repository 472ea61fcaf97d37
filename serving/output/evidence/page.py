"""Makes the HTML page about one copy: what was found, both photos with the part they share, and the facts."""

from collections.abc import Iterator
from typing import Any

from foundation.photos.thumbnail import shrink_frame
from foundation.store.artifact import versions_of
from serving.match.claim import claimed_words
from serving.match.evidence import Evidence
from serving.match.footprint import inverse
from serving.output.display import printable
from serving.output.evidence.pictures import aligned, difference_map
from serving.output.evidence.proof import Proof
from serving.output.pictures import PHOTO_SIDE, Outline, outlines_of, shown
from serving.output.wording import BY_FILE, CONTRADICTED, described, seen_words, sentence

_GONE = {
    "changed": "The file in the archive has changed since it was indexed",
    "unreadable": "The file in the archive cannot be read now",
}


def page_of(proof: Proof) -> dict[str, Any]:
    """Returns what the template `evidence.html` takes; text of strangers is made printable, the template escapes it."""
    match = proof.match
    on_query, on_photo = _outlines(proof)
    return {
        "name": proof.name,
        **headline(proof),
        "verdict": match.verdict.name,
        "score": match.verdict.score,
        "query_name": printable(proof.query_name),
        "photo_id": printable(match.photo["photo_id"]),
        "query": proof.query and shown(shrink_frame(proof.query.pixels, max_side=PHOTO_SIDE), on_query),
        "photo": None if proof.original.pixels is None else shown(proof.original.pixels, on_photo),
        "note": _note(proof),
        **_comparison(proof),
        "facts": [(name, printable(str(value))) for name, value in _facts(proof) if value not in (None, "")],
        "siblings": [(name, printable(one.photo["photo_id"])) for name, one in proof.siblings],
    }


def headline(proof: Proof) -> dict[str, Any]:
    """Returns what stands first on a page, and in the index: since when, where, what was done, and a contradiction."""
    match = proof.match
    seen = match.seen
    return {
        "seen": seen_words(seen.at, seen.basis),
        "uri": printable(seen.uri),
        "description": sentence(printable(described(match.verdict.name, match.description))),
        "contradiction": sentence(CONTRADICTED) if proof.claim == "contradicted" else "",
    }


def _outlines(proof: Proof) -> tuple[list[Outline], list[Outline]]:
    if proof.evidence is None or proof.query is None:
        return [], []
    transform, query, photo = proof.evidence.transform, proof.query.size, proof.photo_size
    return outlines_of(inverse(transform), photo, query), outlines_of(transform, query, photo)


def _comparison(proof: Proof) -> dict[str, Any]:
    laid, mapped = aligned(proof), difference_map(proof)
    is_negative = proof.evidence is not None and proof.evidence.is_inverted
    return {
        "aligned": None if laid is None else shown(laid),
        "turned_back": ", its negative turned back" if is_negative else "",
        "difference": None if mapped is None else shown(mapped),
    }


def _note(proof: Proof) -> str:
    if proof.original.file == "as indexed":
        return ""
    kept = "this is the thumbnail that the index keeps" if proof.original.is_thumbnail else "the index keeps no picture"
    return f"{_GONE[proof.original.file]}: {kept} of it."


def _facts(proof: Proof) -> Iterator[tuple[str, Any]]:
    match, photo, snapshot = proof.match, proof.match.photo, proof.snapshot
    yield "Verdict", f"{match.verdict.name.replace('_', ' ')}, score {match.verdict.score:.3f}"
    yield "First published", match.seen.published_at and f"{match.seen.published_at:%Y-%m-%d %H:%M} UTC"
    yield "First seen", match.seen.at and f"{match.seen.at:%Y-%m-%d %H:%M} UTC, {match.seen.uri}"
    yield "", BY_FILE if match.seen.basis == "captured" else None
    yield "Copies in the archive", match.seen.occurrences
    if proof.claimed:
        yield "Claimed date", f"{claimed_words(proof.claimed)}: {(proof.claim or 'unknown').replace('_', ' ')}"
    yield from _measures(proof.evidence)
    yield "Query", proof.query_name
    if proof.query:
        yield "", f"{proof.query.size.width} × {proof.query.size.height} pixels"
        yield "", f"SHA-256 {proof.query.content_sha256.hex()}"
    yield "Photo", photo["photo_id"]
    yield "", photo["uri"]
    yield "", f"{photo['width']} × {photo['height']} pixels, file {proof.original.file}"
    yield "", f"SHA-256 {photo['content_sha256'].hex()}"
    yield "Caption", photo["caption"]
    yield "Credit", photo["credit"]
    yield "Source", photo["source"]
    yield "Snapshot", f"{snapshot.number} of {snapshot.created_at}"
    yield "Encoder", f"{snapshot.encoder_id}, SHA-256 {snapshot.encoder_digest}"
    yield "Made with", ", ".join(f"{name} {version}" for name, version in versions_of("firstseen").items())


def _measures(evidence: Evidence | None) -> Iterator[tuple[str, Any]]:
    if evidence is None:
        return
    yield "Frames overlap", f"{evidence.query_overlap:.0%} of the query, {evidence.photo_overlap:.0%} of the photo"
    yield "Keypoints that agree", f"{evidence.inliers}, within {evidence.residual:.1f} pixels"
    if evidence.dense:
        yield "Pixels that agree", f"{evidence.agreement:.0%} of the {evidence.dense.blocks} textured blocks"
    turned = [word for word, is_so in (("mirrored", evidence.is_mirrored), ("inverted", evidence.is_inverted)) if is_so]
    yield "Transform", ", ".join([evidence.model, *turned])
