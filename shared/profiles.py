"""Where a musician is found on the platforms: addresses of profiles, from their handles."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from shared.branding import SocialLinks

_PROFILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "youtube": "https://www.youtube.com/@{}",
        "instagram": "https://www.instagram.com/{}",
        "tiktok": "https://www.tiktok.com/@{}",
        "twitter": "https://x.com/{}",
        "facebook": "https://www.facebook.com/{}",
        "spotify": "https://open.spotify.com/artist/{}",
        "soundcloud": "https://soundcloud.com/{}",
        "bandcamp": "https://{}.bandcamp.com",
        "twitch": "https://www.twitch.tv/{}",
        "website": "https://{}",
    }
)


def profile_url(platform: str, handle: str) -> str:
    """The address of a profile; a handle that is an address already is taken as it is."""
    name = handle.strip()
    if name.lower().startswith(("https://", "http://")):
        return name
    if platform == "website" or "/" in name:
        return f"https://{name}"
    # Bandcamp's names become part of a host's name, which takes no escapes.
    plain = name.removeprefix("@")
    return _PROFILES[platform].format(plain if platform == "bandcamp" else quote(plain))


def qr_text(links: SocialLinks) -> str | None:
    """What the QR code says; None where none is wanted, or there is nothing for it to say."""
    if not links.show_qr_code:
        return None
    if links.qr_url:
        return links.qr_url
    return next((profile_url(name, handle) for name, handle in links.handles.items()), None)
