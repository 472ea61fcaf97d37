"""Answers with pages: rendered templates, and the headers that keep strangers' text harmless."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from serving.output.view import templates

# Captions are strangers' text: even if one got past the escaping, no browser would run it, or send anything anywhere.
# The attribute `style` holds numbers of ours; pictures of photos that were just chosen are blobs.
POLICY = (
    "default-src 'none'; img-src 'self' data: blob:; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Links of lookups are secrets, and stay here; without any origin our own form would look like a stranger's.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def page(template: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Returns a rendered template."""
    return HTMLResponse(templates().get_template(template).render(values), status, headers=HEADERS)


def wants_json(request: Request) -> bool:
    """Returns whether a program asks: the page's own script does."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted
