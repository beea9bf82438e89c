"""Whether a browser's request comes from our own page.

A cookie travels with whatever a browser sends, also at the bidding of another page. SameSite
keeps other sites away, but not another port of this host, nor a neighbour below the same domain;
so what a cookie may do is bound to requests of our own origin (Fetch Metadata, and Origin where a
browser tells nothing better, as over plain HTTP).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

_READING = frozenset({"GET", "HEAD"})


def is_ours(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request that shows a cookie comes from our page, or from the person himself.

    Args:
        method: Of the request.
        headers: Of the request, whatever their case.
    """
    site = headers.get("sec-fetch-site")
    if method in _READING and site in (None, "none"):
        return True  # the address bar, or a browser that tells nothing; SameSite has held by then
    if site is not None:
        return site == "same-origin"
    return _is_same_host(headers)


def _is_same_host(headers: Mapping[str, str]) -> bool:
    """Whether a request's Origin is the host that it was sent to."""
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc == headers.get("host")
    except ValueError:
        return False
