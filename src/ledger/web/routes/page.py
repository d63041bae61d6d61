"""The verifier page: one page, its style and its two scripts, read from the package."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Response

PAGES: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/static/page.css": ("page.css", "text/css; charset=utf-8"),
    "/static/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/static/words.js": ("words.js", "text/javascript; charset=utf-8"),
}
"""Every path there is: no name from a request ever becomes the name of a file."""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-cache",
}

router = APIRouter(include_in_schema=False)


def _serve(path: str) -> None:
    name, media_type = PAGES[path]
    content = (files("ledger.web") / "static" / name).read_bytes()

    @router.get(path)
    async def page() -> Response:
        return Response(content, media_type=media_type, headers=HEADERS)


for _path in PAGES:
    _serve(_path)
