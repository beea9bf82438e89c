"""Addresses of profiles, and what a QR code says."""

from __future__ import annotations

import pytest

from shared.branding import PLATFORM_NAMES, SocialLinks
from shared.profiles import profile_url, qr_text


@pytest.mark.parametrize(
    ("platform", "handle", "url"),
    [
        ("youtube", "@mus.ic", "https://www.youtube.com/@mus.ic"),
        ("youtube", "music", "https://www.youtube.com/@music"),
        ("instagram", "@music", "https://www.instagram.com/music"),
        ("tiktok", "music", "https://www.tiktok.com/@music"),
        ("twitter", "@music", "https://x.com/music"),
        ("facebook", "music", "https://www.facebook.com/music"),
        ("spotify", "4tZwfgr", "https://open.spotify.com/artist/4tZwfgr"),
        ("soundcloud", "music", "https://soundcloud.com/music"),
        ("bandcamp", "music", "https://music.bandcamp.com"),
        ("twitch", "music", "https://www.twitch.tv/music"),
        ("website", "music.example", "https://music.example"),
        ("website", "http://music.example/a", "http://music.example/a"),
        ("youtube", "https://youtu.be/x", "https://youtu.be/x"),
        ("youtube", " HTTPS://youtu.be/x ", "HTTPS://youtu.be/x"),
        ("facebook", "facebook.com/groups/1", "https://facebook.com/groups/1"),
        ("instagram", "mu sic?", "https://www.instagram.com/mu%20sic%3F"),
        ("youtube", "@música", "https://www.youtube.com/@m%C3%BAsica"),
    ],
)
def test_a_handle_becomes_an_address(platform: str, handle: str, url: str) -> None:
    assert profile_url(platform, handle) == url


def test_every_platform_has_an_address() -> None:
    assert all(profile_url(name, "music").startswith("https://") for name in PLATFORM_NAMES)


def test_the_code_says_what_is_asked_for_or_the_first_handle() -> None:
    links = SocialLinks(handles={"tiktok": "@b", "youtube": "@a"}, show_qr_code=True)
    assert qr_text(links) == "https://www.tiktok.com/@b"
    assert qr_text(links.model_copy(update={"qr_url": "https://x.example"})) == "https://x.example"
    assert qr_text(links.model_copy(update={"show_qr_code": False})) is None
    assert qr_text(SocialLinks(show_qr_code=True)) is None
