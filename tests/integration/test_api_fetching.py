"""Fetching images from addresses: what is reached, and what never is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any

import pytest

from coordinator.fetching import Fetched, Fetcher, FetchError
from tests.https import HOST, Visit, Web, running, trusting

ALLOWED = "127.0.0.2"
"""Loopback too, but the only address of it that these tests let be reached."""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


class Names:
    """A name server of the test's own; the answers of a name come one after the other."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        given = self.answers.get(host)
        if given is None:
            raise OSError("no such name")
        return given.pop(0) if len(given) > 1 else given[0]


@pytest.fixture
def web() -> Iterator[Web]:
    with running(ALLOWED) as server:
        yield server


@pytest.fixture
def inside() -> Iterator[Web]:
    """What nobody outside may reach."""
    with running("127.0.0.1") as server:
        yield server


def fetch(url: str, names: Names | None = None, **options: Any) -> Fetched:
    kind = options.pop("kind", "image")
    fetcher = Fetcher(
        allowed=[ip_network(ALLOWED)],
        resolve=names or Names(images_test=[[ALLOWED]]),
        certificates=options.pop("certificates", None) or trusting(),
        **options,
    )
    return asyncio.run(fetcher.fetch(url, kind))


def why_not(url: str, names: Names | None = None, **options: Any) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(url, names, **options)
    return caught.value.message


def test_an_image_arrives_with_its_name(web: Web) -> None:
    found = fetch(web.serve("/logos/my%20logo.png?size=2", PNG, Content_Type="text/plain"))
    assert (found.data, found.name) == (PNG, "my logo.png")
    # The name was told to the server, though the connection went to the address.
    assert web.seen == [("/logos/my%20logo.png?size=2", f"{HOST}:{web.port}")]


def test_a_name_is_resolved_once_and_the_connection_goes_there(web: Web, inside: Web) -> None:
    inside.serve("/a.png", PNG)
    rebinding = Names(images_test=[[ALLOWED], ["127.0.0.1"]])
    assert fetch(web.serve("/a.png", PNG), rebinding).data == PNG
    assert rebinding.asked == [HOST]
    assert inside.seen == []


def test_a_name_with_one_address_inside_is_refused(web: Web) -> None:
    both = Names(images_test=[[ALLOWED, "127.0.0.1"]])
    assert "no public address" in why_not(web.serve("/a.png", PNG), both)
    assert web.seen == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",  # 127.0.0.1 as one number
        "0x7f.1",
        "0.0.0.0",  # noqa: S104  # nothing listens there
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",  # where clouds keep their secrets
        "10.0.0.1",
        "[fe80::1]",
    ],
)
def test_addresses_inside_are_refused_however_they_are_written(inside: Web, host: str) -> None:
    inside.serve("/a.png", PNG)
    fetcher = Fetcher(certificates=trusting())  # the resolver of the system, nothing allowed
    with pytest.raises(FetchError, match="no public address"):
        asyncio.run(fetcher.fetch(inside.url("/a.png", host), "image"))
    assert inside.seen == []


def test_redirects_are_followed_with_the_same_checks(web: Web, inside: Web) -> None:
    inside.serve("/secret.png", PNG)
    names = Names(images_test=[[ALLOWED]], inside_test=[["127.0.0.1"]])

    def redirect(location: str) -> str:
        web.replies["/go"] = lambda visit: visit.answer(302, Location=location)
        return web.url("/go")

    web.serve("/a.png", PNG)
    assert fetch(redirect("/a.png")).name == "a.png"
    assert fetch(redirect(web.url("/a.png"))).data == PNG
    for host in ("127.0.0.1", "inside.test", "[::1]", "2130706433"):
        names.answers.setdefault(host, [["127.0.0.1"]])
        assert "no public address" in why_not(redirect(inside.url("/secret.png", host)), names)
    assert "only https" in why_not(redirect(f"http://{HOST}:{web.port}/a.png"))
    assert "only https" in why_not(redirect("file:///etc/passwd"))
    # A sign that is a slash to some: one of our libraries takes it in a user name, one does not.
    odd = "https://\u2100@images.test/".encode().decode("latin-1")
    assert "no address" in why_not(redirect(odd))
    assert inside.seen == []


def test_three_redirects_are_followed_and_no_more(web: Web) -> None:
    web.serve("/0", PNG)
    for left in range(1, 5):
        web.replies[f"/{left}"] = lambda visit: visit.answer(
            307, Location=f"/{int(visit.path[1:]) - 1}"
        )
    assert fetch(web.url("/3")).data == PNG
    assert "more than 3 times" in why_not(web.url("/4"))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"http://{HOST}/a.png", "only https"),
        (f"ftp://{HOST}/a.png", "only https"),
        ("file:///etc/passwd", "only https"),
        (f"https://user:secret@{HOST}/a.png", "user name"),
        ("https:///a.png", "no host"),
        ("https://[::1/a.png", "no address"),
        (f"https://{HOST}:99999/a.png", "no address"),
        ("https://nowhere.test/a.png", "no public address"),
        ("https://" + "x" * 70 + ".test/", "no public address"),
    ],
)
def test_what_is_no_address_to_fetch_is_told(url: str, told: str) -> None:
    assert told in why_not(url)


def test_too_large_is_noticed_before_and_while_it_comes(web: Web) -> None:
    url = web.serve("/large.png", PNG + bytes(100_000))
    assert "larger than 50,000 bytes" in why_not(url, most_bytes=50_000)
    assert len(fetch(url, most_bytes=200_000).data) == len(PNG) + 100_000
    gone = threading.Event()

    def endless(visit: Visit) -> None:
        visit.send_response(200)  # no length: it goes on until somebody hangs up
        visit.end_headers()
        try:
            visit.wfile.write(PNG)
            while True:
                visit.wfile.write(bytes(65_536))
        except OSError:
            gone.set()

    web.replies["/endless.png"] = endless
    assert "larger than" in why_not(web.url("/endless.png"), most_bytes=500_000)
    assert gone.wait(10)


def test_who_is_slow_is_not_waited_for(web: Web) -> None:
    done = threading.Event()

    def trickle(visit: Visit) -> None:
        visit.send_response(200)
        visit.send_header("Content-Length", str(len(PNG)))
        visit.end_headers()
        for index in range(len(PNG)):  # something comes all the time, but never all of it
            visit.wfile.write(PNG[index : index + 1])
            visit.wfile.flush()
            if done.wait(0.05):
                return

    web.replies["/slow.png"] = trickle
    try:
        assert "within 0.5 s" in why_not(web.url("/slow.png"), patience_s=0.5)
    finally:
        done.set()


def test_what_is_no_image_is_refused_whatever_it_is_called(web: Web) -> None:
    page = web.serve("/a.png", b"<html>Log in</html>", Content_Type="image/png")
    assert "It looks like a web page" in why_not(page)
    assert "empty" in why_not(web.serve("/b.png", b""))
    squeezed = web.serve("/c.png", b"\x1f\x8b" + bytes(50), Content_Encoding="gzip")
    assert "gzip archive" in why_not(squeezed)
    assert "not a font" in why_not(web.serve("/d.otf", PNG), kind="font")
    web.replies["/e.png"] = lambda visit: visit.answer(403, PNG)
    assert "answers 403" in why_not(web.url("/e.png"))


def test_a_server_that_is_not_whom_it_says_is_refused(web: Web) -> None:
    url = web.serve("/a.png", PNG)
    other = Names(other_test=[[ALLOWED]])
    assert "no valid certificate" in why_not(web.url("/a.png", "other.test"), other)
    nobody = Fetcher(allowed=[ip_network(ALLOWED)], resolve=Names(images_test=[[ALLOWED]]))
    with pytest.raises(FetchError, match="no valid certificate"):  # the usual authorities
        asyncio.run(nobody.fetch(url, "image"))
    assert web.seen == []


def test_a_server_that_is_not_there_or_breaks_off_is_told(web: Web) -> None:
    def cut(visit: Visit) -> None:
        visit.send_response(200)
        visit.send_header("Content-Length", "9999")
        visit.end_headers()
        visit.wfile.write(PNG)

    web.replies["/cut.png"] = cut
    assert "broke the connection off" in why_not(web.url("/cut.png"))
    closed = f"https://{HOST}:1/a.png"
    assert "cannot be reached" in why_not(closed)
    # One of its addresses may be down.
    two = Names(images_test=[["127.0.0.3", ALLOWED]])
    fetcher = Fetcher(allowed=[ip_network("127.0.0.2/31")], resolve=two, certificates=trusting())
    found = asyncio.run(fetcher.fetch(web.serve("/a.png", PNG), "image"))
    assert found.data == PNG
