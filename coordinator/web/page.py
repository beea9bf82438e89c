"""``/``: the page and its files, with what a browser may do with them."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Header
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from coordinator.api.problems import ApiError
from coordinator.api.services import Parts
from coordinator.web.files import Files, read_files
from shared.errors import StorageError
from shared.keys import RESULTS
from shared.storage import ObjectStore

FOLDER: Final = "/web"
"""Where the page's files are."""
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_FILE_SECURITY: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_SECURITY: Final = {
    **_FILE_SECURITY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
"""Of the page itself; for its files, which are many, the rest would say nothing."""
_SELDOM: Final = "farm/"
"""What only operators see; the page fetches it for them."""


def install(app: FastAPI) -> None:
    """Serve the page beside the API."""
    web = read_files()
    templates = Environment(
        loader=PackageLoader(__package__ or ""), autoescape=True, undefined=StrictUndefined
    )
    html = templates.get_template("page.html").render(
        folder=f"{FOLDER}/{web.version}",
        sheets=web.sheets,
        modules=[path for path in web.modules if not path.startswith(_SELDOM)],
        version=app.version,
    )
    router = APIRouter(include_in_schema=False)

    @router.head("/")
    @router.get("/")
    async def get_page(services: Parts) -> Response:
        headers = {
            **_SECURITY,
            "Cache-Control": "no-cache",
            "Content-Security-Policy": _policy(await _origin_of(services.store)),
        }
        return Response(html, 200, headers, "text/html; charset=utf-8")

    @router.head("/favicon.ico")
    @router.get("/favicon.ico")
    async def get_icon() -> Response:
        return _send(web, "icon.svg", web.version, "")

    @router.head(FOLDER + "/{version}/{path:path}")
    @router.get(FOLDER + "/{version}/{path:path}")
    async def get_file(
        version: str, path: str, accept_encoding: Annotated[str, Header()] = ""
    ) -> Response:
        return _send(web, path, version, accept_encoding)

    app.include_router(router)


def _send(web: Files, path: str, version: str, accept_encoding: str) -> Response:
    file = web.by_path.get(path)
    if file is None:
        raise ApiError(404, "There is nothing at this address.")
    # While replicas are upgraded one after the other, another one's page may ask for its files.
    kept = _FOR_EVER if version == web.version else "no-cache"
    headers = {**_FILE_SECURITY, "Cache-Control": kept, "Vary": "Accept-Encoding"}
    if "gzip" in accept_encoding:
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, 200, headers, file.media_type)
    return Response(file.data, 200, headers, file.media_type)


def _policy(store: str | None) -> str:
    """What the page may load (CSP): its own alone, and videos from the object store."""
    videos = " ".join(filter(None, ("'self'", store)))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            f"media-src {videos}",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


async def _origin_of(store: ObjectStore) -> str | None:
    """Where downloads are sent to; None where this process sends the bytes itself."""

    def link() -> str | None:
        return store.link(f"{RESULTS}a", file_name="a", content_type="video/mp4", valid_s=60)

    try:
        address = await to_thread.run_sync(link)
    except StorageError:
        return None  # then there are no videos to be had, either
    if address is None:
        return None
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
