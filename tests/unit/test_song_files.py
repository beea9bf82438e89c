"""The musician's files: which branding names, and which may be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.cli.song_files import branding_files, check_files, images_at_hand, keep_apart
from shared.branding import Branding
from shared.errors import InputError
from shared.presets import PRESETS
from shared.templates import TEMPLATES


def branding(image: str, logo: str | None = None, font: str | None = None) -> Branding:
    plain = {"watermark": {"image": image}, "end_card": {"logo": logo, "font": font}}
    return Branding.model_validate(plain)


def test_files_are_told_from_addresses_and_from_logos_of_ours() -> None:
    assert branding_files(None) == []
    assert branding_files(TEMPLATES["social-media-pack"].branding) == []
    named = branding("logo.png", "https://me.example/logo.png", "mine.otf")
    assert branding_files(named) == [Path("logo.png"), Path("mine.otf")]


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    check_files(None)
    with pytest.raises(InputError, match=r"There is no file .*nowhere\.png"):
        check_files(tmp_path / "nowhere.png")


def test_what_is_read_is_never_written(tmp_path: Path) -> None:
    song, link = tmp_path / "song.mid", tmp_path / "link.mid"
    song.write_bytes(b"")
    link.symlink_to(song)
    keep_apart([song, None], [tmp_path / "song.mp4", None])
    with pytest.raises(InputError, match="cannot be replaced"):
        keep_apart([song, None], [None, link])


def test_images_without_an_address_are_left_alone() -> None:
    configuration = PRESETS["custom"].model_copy(update={"branding": branding("logo.png")})
    with images_at_hand(configuration) as found:
        assert found == configuration.branding
    with images_at_hand(PRESETS["custom"]) as found:
        assert found is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://me.example/logo.png", "only https addresses are reached"),
        ("https://127.0.0.1/logo.png", "public"),
    ],
)
def test_an_address_that_is_not_fetched_is_told(address: str, reason: str) -> None:
    configuration = PRESETS["custom"].model_copy(update={"branding": branding(address)})
    with pytest.raises(InputError) as caught, images_at_hand(configuration):
        pytest.fail("nothing was fetched")
    assert caught.value.message.startswith(f"{address} cannot be used: ")
    assert reason in caught.value.message
