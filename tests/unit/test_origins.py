"""Whose requests a session's cookie may make."""

from __future__ import annotations

import pytest

from coordinator.api.origins import is_ours

HOST = {"host": "farm.example:8077"}


@pytest.mark.parametrize(
    ("method", "headers", "ours"),
    [
        ("GET", {}, True),  # a program, or a browser over plain HTTP; SameSite has held
        ("GET", {"sec-fetch-site": "none"}, True),  # typed, or a bookmark
        ("GET", {"sec-fetch-site": "same-origin"}, True),
        ("GET", {"sec-fetch-site": "same-site"}, False),  # another port of this host
        ("GET", {"sec-fetch-site": "cross-site"}, False),
        ("HEAD", {"sec-fetch-site": "cross-site"}, False),
        ("POST", {"sec-fetch-site": "same-origin"}, True),
        ("POST", {"sec-fetch-site": "none"}, False),
        ("POST", {"sec-fetch-site": "same-site"}, False),
        ("POST", {"sec-fetch-site": "cross-site", "origin": "http://farm.example:8077"}, False),
        ("POST", {"sec-fetch-site": ""}, False),
        ("POST", {"origin": "http://farm.example:8077"}, True),
        ("POST", {"origin": "https://farm.example:8077"}, True),  # a proxy speaks TLS
        ("POST", {"origin": "http://farm.example:3000"}, False),
        ("POST", {"origin": "http://farm.example"}, False),
        ("POST", {"origin": "http://farm.example:8077.evil.example"}, False),
        ("POST", {"origin": "null"}, False),
        ("POST", {"origin": "http://[farm"}, False),
        ("POST", {}, False),
        ("DELETE", {}, False),
        ("CONNECT", {"sec-fetch-site": "same-site"}, False),
        ("CONNECT", {"origin": "http://farm.example:8077"}, True),
    ],
)
def test_a_cookie_is_good_for_our_own_page_alone(
    method: str, headers: dict[str, str], ours: bool
) -> None:
    assert is_ours(method, HOST | headers) is ours
