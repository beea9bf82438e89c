"""Images of every kind that musicians have: they behave, or are refused in a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.errors import MediaError
from workers.images import fit_image, image_size, open_image

RED = (255, 0, 0, 255)


def saved(folder: Path, image: Image.Image, kind: str, **options: object) -> Path:
    path = folder / f"image.{kind.lower()}"
    image.save(path, kind, **options)
    return path


def middle(image: Image.Image) -> tuple[int, ...]:
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_the_usual_kinds_are_opened(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path, Image.new("RGB", (40, 20), "red"), kind)
    image = open_image(path, 40, 20)
    assert (image.mode, image.size, image_size(path)) == ("RGBA", (40, 20), (40, 20))
    assert middle(image) == pytest.approx(RED, abs=3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_what_is_transparent_stays_so(tmp_path: Path, kind: str) -> None:
    image = Image.new("RGBA", (40, 20), (255, 0, 0, 128))
    found = open_image(saved(tmp_path, image, kind, lossless=True), 40, 20)
    assert middle(found) == (255, 0, 0, 128)


def test_a_palette_with_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (40, 20), 1)
    image.putpalette([0, 255, 0, 255, 0, 0])
    image.paste(0, (0, 0, 10, 20))
    for kind in ("PNG", "GIF"):
        found = open_image(saved(tmp_path, image, kind, transparency=0), 40, 20)
        assert middle(found) == RED
        clear = found.getpixel((2, 2))
        assert isinstance(clear, tuple)
        assert clear[3] == 0


def test_grey_with_and_without_alpha(tmp_path: Path) -> None:
    assert middle(open_image(saved(tmp_path, Image.new("L", (9, 9), 77), "PNG"), 9, 9)) == (
        *(77, 77, 77),
        255,
    )
    assert middle(open_image(saved(tmp_path, Image.new("LA", (9, 9), (77, 9)), "PNG"), 9, 9)) == (
        *(77, 77, 77),
        9,
    )
    assert middle(open_image(saved(tmp_path, Image.new("1", (9, 9), 1), "PNG"), 9, 9)) == (
        *(255, 255, 255),
        255,
    )


def test_sixteen_bits_of_grey_are_not_cut_off(tmp_path: Path) -> None:
    levels = np.array([[0, 0x4000, 0x8000, 0xFFFF]] * 4, dtype=np.uint16)
    found = open_image(saved(tmp_path, Image.fromarray(levels), "PNG"), 4, 4)
    assert np.asarray(found)[0, :, 0].tolist() == [0, 0x40, 0x80, 0xFF]


def test_colours_for_print_are_turned_into_those_of_screens(tmp_path: Path) -> None:
    image = Image.new("CMYK", (40, 20), (0, 255, 255, 0))
    for kind in ("JPEG", "TIFF"):
        found = middle(open_image(saved(tmp_path, image, kind), 40, 20))
        assert found[0] > 200
        assert max(found[1:3]) < 60


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_upright(tmp_path: Path, orientation: int) -> None:
    """The same scene, red at its top, however the camera was held."""
    scene = Image.new("RGB", (40, 20), "blue")
    scene.paste("red", (0, 0, 40, 6))
    held = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    taken = scene if held is None else scene.transpose(held)
    exif = taken.getexif()
    exif[0x0112] = orientation
    path = saved(tmp_path, taken, "PNG", exif=exif)
    assert image_size(path) == (40, 20)
    found = open_image(path, 40, 20).convert("RGB")
    assert found.getpixel((20, 2)) == (255, 0, 0)
    assert found.getpixel((20, 17)) == (0, 0, 255)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_shown(tmp_path: Path, kind: str) -> None:
    first, second = Image.new("RGB", (40, 20), "red"), Image.new("RGB", (40, 20), "blue")
    options = {"save_all": True, "append_images": [second], "duration": 100}
    found = open_image(saved(tmp_path, first, kind, **options), 40, 20)
    assert middle(found) == pytest.approx(RED, abs=3)


def test_a_huge_image_comes_down_to_the_frame(tmp_path: Path) -> None:
    image = open_image(saved(tmp_path, Image.new("RGB", (6000, 3000), "red"), "JPEG"), 192, 108)
    assert image.size == (216, 108)


def test_scaling_leaves_no_fringe_around_what_is_transparent() -> None:
    image = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (16, 16, 48, 48))
    pixels = np.asarray(fit_image(image, 21, 21))
    seen = pixels[pixels[..., 3] > 0]
    assert seen[:, 1].max() == 0, "the green of what cannot be seen"
    assert ((pixels[..., 3] > 0) & (pixels[..., 3] < 255)).any()


@pytest.mark.parametrize(("size", "fitted"), [((40, 20), (10, 5)), ((20, 40), (5, 10))])
def test_an_image_is_fitted_into_a_square(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert fit_image(Image.new("RGBA", size), 10, 10).size == fitted


def written(image: Image.Image, kind: str) -> bytes:
    target = io.BytesIO()
    image.save(target, kind)
    return target.getvalue()


NOISE = Image.effect_noise((200, 200), 90)
BROKEN: dict[str, Callable[[], bytes]] = {
    "truncated JPEG": lambda: written(NOISE, "JPEG")[:3000],
    "truncated PNG": lambda: written(NOISE, "PNG")[:3000],
    "truncated WebP": lambda: written(NOISE, "WEBP")[:3000],
    "empty": lambda: b"",
    "noise": lambda: bytes(range(256)) * 40,
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "numbers": lambda: written(Image.new("F", (9, 9), 0.5), "TIFF"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_shown_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "upload.bin"
    path.write_bytes(BROKEN[kind]())
    with pytest.raises(MediaError) as caught:
        open_image(path, 16, 16)
    assert caught.value.message.endswith(".")
    assert "PNG" in caught.value.message or "8 or 16 bits" in caught.value.message
