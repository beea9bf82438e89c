"""Taking in and probing what is in the object store already: named as the musician names it."""

from __future__ import annotations

import io
import json
import shutil
import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from PIL import Image

from shared.asset_fields import rename_assets
from shared.branding import Branding
from shared.composition import BackgroundLayer, Composition, ImageLayer, TitleLayer
from shared.errors import CompositionError, InputError, MediaError, MidiError, ObjectNotFoundError
from shared.intake import AssetKind, Intake, IntakeRequest, IntakeSpec, ProbeSpec
from shared.storage import LocalStore
from tests.bombs import midi, midi_chunk, midis
from tests.clips import make_clip
from tests.songs import SongFile
from tests.soundfonts import make_soundfont
from workers import fonts
from workers.inspection import probe_asset
from workers.intake import take_file, take_in, take_in_objects
from workers.named_file import file_name, named_file


def midi_bytes() -> bytes:
    return SongFile("A song").note(0, 1, 60).note(1, 2, 62).to_bytes()


def wav_bytes(seconds: int = 2) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x10\x00" * 8000 * seconds)
    return target.getvalue()


def image_bytes(kind: str = "PNG", *, orientation: int = 1) -> bytes:
    target = io.BytesIO()
    image = Image.new("RGB", (40, 20), "red")
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(target, kind, exif=exif)
    return target.getvalue()


def font_bytes() -> bytes:
    return (Path(fonts.__file__).parent / "Inter-SemiBold.otf").read_bytes()


@cache
def video_bytes() -> bytes:
    """A video that lies on its side."""
    with TemporaryDirectory() as folder:
        path = make_clip(Path(folder, "clip.mov"), "mpeg4", frames=3, rotation_deg=90)
        return path.read_bytes()


GOOD: dict[AssetKind, Callable[[], bytes]] = {
    "midi": midi_bytes,
    "audio": wav_bytes,
    "image": image_bytes,
    "font": font_bytes,
    "soundfont": make_soundfont,
    "video": video_bytes,
}
COMPOSITION = Composition.model_validate(
    {
        "layers": [
            {"type": "background", "image": "cover.png"},
            {"type": "title", "font": "face.otf", "text": "Ein Lied ☃"},
            {"type": "piano_roll"},
        ]
    }
)


def probe(store: LocalStore, data: bytes, name: str, kind: AssetKind) -> dict[str, object]:
    store.put_bytes("assets/aa/aa", data)
    report = probe_asset(ProbeSpec(asset_key="assets/aa/aa", name=name, kind=kind), store)
    assert report.kind == kind
    assert report.facts["size_bytes"] == len(data)
    return report.facts


def test_what_is_good_is_described(store: LocalStore) -> None:
    assert probe(store, midi_bytes(), "Song.mid", "midi")["notes"] == 2
    sound = probe(store, wav_bytes(), "Song.wav", "audio")
    assert sound["duration_s"] == 2.0
    assert (sound["sample_rate"], sound["channels"]) == (8000, 1)
    image = probe(store, image_bytes(), "Cover.png", "image")
    assert (image["width"], image["height"]) == (40, 20)
    turned = probe(store, image_bytes("JPEG", orientation=6), "Cover.jpg", "image")
    assert (turned["width"], turned["height"]) == (20, 40), "as it is shown"
    assert probe(store, font_bytes(), "Face.otf", "font")["family"] == "Inter"
    probe(store, make_soundfont(), "Piano.sf2", "soundfont")
    video = probe(store, video_bytes(), "Rain.mov", "video")
    assert (video["width"], video["height"], video["fps"]) == (72, 128, "30")
    assert (video["duration_s"], video["frames"], video["codec"]) == (0.1, 3, "mpeg4")


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("content", ["empty", "noise", "cut off", *GOOD])
def test_what_is_something_else_is_refused_by_its_name(
    store: LocalStore, kind: AssetKind, content: str
) -> None:
    whole = GOOD[kind]()
    made = {"empty": b"", "noise": b"\x00\xff\x13nothing" * 99, "cut off": whole[:10]}
    data = made[content] if content in made else GOOD[content]()
    if content == kind:
        probe(store, data, "Upload 1.bin", kind)
        return
    with pytest.raises(InputError, match=r"Upload 1\.bin") as caught:
        probe(store, data, "Upload 1.bin", kind)
    assert "assets/" not in caught.value.message
    assert str(store.root) not in caught.value.message
    assert "midifarm-" not in caught.value.message, "nor a temporary file"


@pytest.mark.parametrize("side", [10_001, 20_000])
def test_a_bomb_is_not_decoded(store: LocalStore, side: int) -> None:
    target = io.BytesIO()
    Image.new("1", (side, side)).save(target, "PNG")
    with pytest.raises(MediaError, match=r"Bomb\.png: .* 100 megapixels is the most"):
        probe(store, target.getvalue(), "Bomb.png", "image")


def test_what_is_told_of_a_song_is_brief_whatever_is_in_it(store: LocalStore) -> None:
    for name in ("bars", "65535 tracks", "texts"):
        facts = probe(store, midis()[name], f"{name}.mid", "midi")
        assert len(json.dumps(facts)) < 200_000
        assert max(len(facts["bars"]), len(facts["track_list"])) <= 500
    title = midi_chunk(b"MTrk", b"\x00\xff\x03\x82\x00" + b"n" * 256 + b"\x00\xff\x2f\x00")
    assert probe(store, midi(title), "long.mid", "midi")["title"] == "n" * 200


def test_files_and_objects_are_taken_in_alike(store: LocalStore, tmp_path: Path) -> None:
    names = {
        "song.mid": midi_bytes(),
        "song.wav": wav_bytes(),
        "cover.png": image_bytes(),
        "face.otf": font_bytes(),
    }
    for name, data in names.items():
        (tmp_path / name).write_bytes(data)
    from_files = take_in(
        IntakeRequest(
            midi=tmp_path / "song.mid",
            audio=tmp_path / "song.wav",
            composition=COMPOSITION,
            folder=tmp_path,
            end_s=0.5,
        ),
        store,
    )
    keys = {name: take_file(tmp_path / name, store) for name in names}
    from_objects = take_in_objects(
        IntakeSpec(
            midi_key=keys["song.mid"],
            recording_key=keys["song.wav"],
            composition=renamed(COMPOSITION, keys),
            names={key: name for name, key in keys.items()},
            end_s=0.5,
        ),
        store,
    )
    assert from_objects == from_files
    assert from_files.composition == renamed(COMPOSITION, keys)
    assert from_files.notes_in_range == 1
    assert from_files.recording_s == 2.0
    assert any("cannot draw ☃" in warning for warning in from_files.warnings)


def renamed(composition: Composition, names: dict[str, str]) -> Composition:
    """A composition that names its assets otherwise."""
    return rename_assets(composition, lambda named: names[named.name])


def test_videos_and_images_are_taken_in(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(midi_bytes())
    (tmp_path / "rain.mov").write_bytes(video_bytes())
    (tmp_path / "cover.png").write_bytes(image_bytes())

    def take(name: str) -> Intake:
        layers = (
            BackgroundLayer(video=name),
            ImageLayer(image="cover.png"),
            ImageLayer(image="builtin:social-logo"),
        )
        drawn = Composition(layers=layers)
        asked = IntakeRequest(midi=tmp_path / "song.mid", composition=drawn, folder=tmp_path)
        return take_in(asked, store)

    ground, cover, logo = take("rain.mov").composition.layers
    assert isinstance(ground, BackgroundLayer)
    assert isinstance(cover, ImageLayer)
    assert ground.video is not None
    assert cover.image is not None
    assert store.get_bytes(ground.video) == video_bytes()
    assert store.get_bytes(cover.image) == image_bytes()
    assert logo == ImageLayer(image="builtin:social-logo")
    with pytest.raises(MediaError, match=r"cover\.png: The video cannot be read"):
        take("cover.png")
    with pytest.raises(CompositionError, match=r"composition's video snow\.mov does not exist"):
        take("snow.mov")


def test_a_soundfont_of_the_musician_is_taken(store: LocalStore) -> None:
    store.put_bytes("assets/midi", midi_bytes())
    store.put_bytes("assets/font", make_soundfont())
    plain = Composition.model_validate({"layers": [{"type": "piano_roll"}]})
    spec = IntakeSpec(midi_key="assets/midi", soundfont_key="assets/font", composition=plain)
    assert take_in_objects(spec, store).soundfont_key == "assets/font"
    silent = spec.model_copy(update={"with_audio": False})
    assert take_in_objects(silent, store).soundfont_key is None
    # What is seen of a video is the same whether it has sound or not.
    hearing = Composition.model_validate({"layers": [{"type": "spectrum"}]})
    silent = silent.model_copy(update={"composition": hearing})
    assert take_in_objects(silent, store).soundfont_key == "assets/font"


def test_what_is_wrong_is_called_by_its_name(store: LocalStore) -> None:
    store.put_bytes("assets/midi", midi_bytes())
    store.put_bytes("assets/noise", b"\x00\xff\x13nothing" * 99)
    names = {"assets/noise": "My upload.bin", "assets/gone": "My lost one.bin"}

    def spec(**fields: object) -> IntakeSpec:
        plain = {"midi_key": "assets/midi", "composition": renamed(COMPOSITION, look)}
        return IntakeSpec.model_validate(plain | {"names": names} | fields)

    store.put_bytes("assets/image", image_bytes())
    store.put_bytes("assets/face", font_bytes())
    look = {"cover.png": "assets/image", "face.otf": "assets/face"}
    take_in_objects(spec(), store)
    for key, error in (("assets/noise", InputError), ("assets/gone", ObjectNotFoundError)):
        wrong = [
            spec(midi_key=key),
            spec(recording_key=key),
            spec(soundfont_key=key),
            *(
                spec(composition=renamed(COMPOSITION, look | {name: key}))
                for name in ("cover.png", "face.otf")
            ),
        ]
        for each in wrong:
            with pytest.raises(error) as caught:
                take_in_objects(each, store)
            assert names[key] in caught.value.message
            assert "assets/" not in caught.value.message
    with pytest.raises(MidiError, match="the MIDI file"):
        take_in_objects(spec(midi_key="assets/noise", names={}), store)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Song.mid", "Song.mid"),
        ("C:\\music\\Song.mid", "Song.mid"),
        ("../../etc/passwd", "passwd"),
        ("a\nb\0c.mid", "abc.mid"),
        ("夜想曲.mid", "夜想曲.mid"),
        ("夜" * 200 + ".mid", "夜" * 65 + ".mid"),
        ("", "file"),
        ("..", "file"),
        ("folder/", "file"),
    ],
)
def test_a_file_can_have_any_name(store: LocalStore, name: str, expected: str) -> None:
    assert file_name(name) == expected
    store.put_bytes("assets/aa", b"content")
    with named_file(store, "assets/aa", name) as path:
        assert path.name == expected
        assert path.read_bytes() == b"content"
    assert not path.exists()
    assert store.get_bytes("assets/aa") == b"content"


# Branding, and text in any script.

PLAIN = Composition.model_validate({"layers": [{"type": "piano_roll"}]})
BRANDING = Branding.model_validate(
    {
        "watermark": {"image": "mark.png"},
        "end_card": {
            "logo": "builtin:end-card-logo",
            "text": "Bis bald",
            "font": "face.otf",
            "social_media": {"handles": {"youtube": "@me"}, "show_qr_code": True},
        },
    }
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A musician's files."""
    for name, data in {
        "song.mid": midi_bytes(),
        "mark.png": image_bytes(),
        "face.otf": font_bytes(),
    }.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def taken(
    folder: Path,
    store: LocalStore,
    branding: Branding | None,
    composition: Composition = PLAIN,
) -> Intake:
    request = IntakeRequest(
        midi=folder / "song.mid",
        composition=composition,
        branding=branding,
        folder=folder,
        with_audio=False,
    )
    return take_in(request, store)


def test_branding_is_taken_in_from_files_and_objects_alike(store: LocalStore, folder: Path) -> None:
    from_files = taken(folder, store, BRANDING)
    keys = {name: take_file(folder / name, store) for name in ("song.mid", "mark.png", "face.otf")}
    named = BRANDING.model_dump(mode="json")
    named["watermark"]["image_url"] = keys["mark.png"]
    named["end_card"]["font"] = keys["face.otf"]
    spec = IntakeSpec(
        midi_key=keys["song.mid"],
        composition=PLAIN,
        branding=Branding.model_validate(named),
        with_audio=False,
    )
    assert take_in_objects(spec, store) == from_files
    assert from_files.branding == Branding.model_validate(named)
    assert from_files.warnings == ()
    assert taken(folder, store, None).branding is None
    assert taken(folder, store, Branding()).branding is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"watermark": {"image": "gone.png"}}, "The watermark gone.png does not exist in "),
        ({"watermark": {"image": "song.mid"}}, "song.mid is of no kind of image"),
        ({"watermark": {"image": "builtin:gone"}}, "choose one of builtin:minimal-logo"),
        ({"end_card": {"logo": "gone.png"}}, "The end card's logo gone.png does not exist in "),
        ({"end_card": {"font": "gone.otf"}}, "The end card's font gone.otf does not exist in "),
        ({"end_card": {"font": "mark.png", "text": "x"}}, "mark.png: The font cannot be read"),
        ({"end_card": {"font": "mark.png"}}, "mark.png: The font cannot be read"),
    ],
)
def test_branding_that_cannot_be_drawn_is_refused(
    store: LocalStore, folder: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        taken(folder, store, Branding.model_validate(changes))
    assert said in caught.value.message


def test_a_code_without_an_address_is_a_warning(store: LocalStore, folder: Path) -> None:
    links = {"social_media": {"show_qr_code": True}}
    [warning] = taken(folder, store, Branding.model_validate({"end_card": links})).warnings
    assert "no QR code" in warning


def test_text_in_another_script_takes_an_installed_font_along(
    store: LocalStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A font that is found beside one that is no font: what is installed here must not matter.
    installed = folder / "share" / "fonts"
    installed.mkdir(parents=True)
    source = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    if not source.is_file():
        pytest.skip("DejaVu is not installed")
    shutil.copy(source, installed)
    (installed / "broken.ttf").write_bytes(b"no font")
    monkeypatch.setenv("XDG_DATA_DIRS", str(folder / "share"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "own"))
    monkeypatch.setenv("HOME", str(folder))
    titled = Composition.model_validate(
        {"layers": [{"type": "title", "text": "שלום – Frieden", "artist": "Clara"}]}
    )
    branding = Branding.model_validate({"end_card": {"text": "مرحبا"}})
    found = taken(folder, store, branding, titled)
    key = take_file(source, store)
    [title] = found.composition.layers
    assert isinstance(title, TitleLayer)
    assert title.font == key
    assert found.branding is not None
    assert found.branding.end_card is not None
    assert found.branding.end_card.font == key
    assert found.warnings == ()


def test_what_no_font_draws_is_a_warning_that_names_it(
    store: LocalStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_DATA_DIRS", "XDG_DATA_HOME", "HOME"):
        monkeypatch.setenv(name, str(folder / "nothing"))
    branding = Branding.model_validate(
        {"end_card": {"text": "Bis ☃", "social_media": {"handles": {"youtube": "@שלום"}}}}
    )
    found = taken(folder, store, branding)
    assert found.warnings == ("The end card's font cannot draw ☃שלום; give it a font that can.",)
    assert found.branding is not None
    assert found.branding.end_card is not None
    assert found.branding.end_card.font is None
