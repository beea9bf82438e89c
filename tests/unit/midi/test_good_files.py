"""Files without a fault: mido, which reads them too, is the judge."""

from __future__ import annotations

import io
import random

import mido
import numpy as np
import pytest

from workers.midi import MIN_NOTE_S, read_midi


def saved(song: mido.MidiFile) -> bytes:
    target = io.BytesIO()
    song.save(file=target)
    return target.getvalue()


def random_song(seed: int, kind: int) -> mido.MidiFile:
    chance = random.Random(seed)  # noqa: S311
    song = mido.MidiFile(type=kind, ticks_per_beat=chance.choice((24, 96, 480, 960)))
    for _ in range(1 if kind == 0 else 3):
        track = mido.MidiTrack()
        song.tracks.append(track)
        for _ in range(80):
            time = chance.choice((0, 0, 1, 40, 200, 3_000))
            channel, note = chance.randrange(2), chance.randrange(60, 63)
            what = chance.randrange(6)
            if what < 4:
                track.append(
                    mido.Message(
                        "note_on" if what < 3 else "note_off",
                        channel=channel,
                        note=note,
                        velocity=chance.choice((0, 64, 127)),
                        time=time,
                    )
                )
            elif what == 4:
                tempo = chance.randrange(200_000, 900_000)
                track.append(mido.MetaMessage("set_tempo", tempo=tempo, time=time))
            else:
                track.append(mido.Message("pitchwheel", channel=channel, pitch=77, time=time))
    return song


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("seed", range(6))
def test_every_message_sounds_when_mido_plays_it(seed: int, kind: int) -> None:
    song = random_song(seed, kind)
    ours = read_midi(saved(song))
    now, played = 0.0, []
    for message in song:
        now += message.time
        if not message.is_meta:
            played.append((now, message.bytes()))
    assert max(track.end_s for track in ours.tracks) == pytest.approx(song.length)
    np.testing.assert_allclose(ours.events.time_s, [time for time, _ in played], atol=1e-9)
    rows = zip(ours.events.status, ours.events.data1, ours.events.data2, strict=True)
    assert [list(row) for row in rows] == [data for _, data in played]


@pytest.mark.parametrize("seed", range(6))
def test_notes_are_paired_first_in_first_out(seed: int) -> None:
    song = random_song(seed, 1)
    ours = read_midi(saved(song))
    seconds = ours.tempo_map.seconds
    expected = []
    for number, track in enumerate(song.tracks):
        tick, open_notes = 0, {}
        for message in track:
            tick += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            waiting = open_notes.setdefault((message.channel, message.note), [])
            if message.type == "note_on" and message.velocity:
                note = [tick, None, message.note, message.velocity, message.channel, number]
                expected.append(note)
                waiting.append(note)
            elif waiting:
                waiting.pop(0)[1] = tick
        for note in expected:
            if note[1] is None:
                note[1] = tick
    rows = []
    for start, end, *rest in expected:
        start_s, end_s = seconds(np.array([start, end])).tolist()
        rows.append((start_s, end_s if end > start else start_s + MIN_NOTE_S, *rest))
    notes = ours.notes
    columns = (notes.start_s, notes.end_s, notes.key, notes.velocity, notes.channel, notes.track)
    got = list(zip(*(column.tolist() for column in columns), strict=True))
    assert sorted(got) == sorted(rows)
    order = [(start, key, channel, track) for start, _, key, _, channel, track in got]
    assert order == sorted(order)


def test_tracks_are_described(midi) -> None:
    song = read_midi(
        midi.file(
            midi.track(midi.meta(0, 3, b"My song"), midi.tempo(0, 400_000)),
            midi.track(midi.meta(0, 3, b"Drums"), b"\x00\xc9\x05", midi.on(0, 36, channel=9)),
            midi.track(b"\x00\xc2\x07\x00\xc2\x09", midi.scale()),
        )
    )
    drums, lead = song.tracks[1:]
    assert (drums.name, drums.notes, drums.channels, drums.program) == ("Drums", 1, (9,), 5)
    assert (lead.name, lead.notes, lead.channels, lead.program) == ("", 8, (0, 2), 7)
    assert lead.end_s == pytest.approx(8 * 0.4)
    assert song.notes.is_percussion.tolist() == [True] + [False] * 8


def test_texts_are_decoded_and_named(midi) -> None:
    song = read_midi(
        midi.file(
            midi.track(midi.meta(0, 3, "Käfer".encode()), midi.meta(0, 6, b"Verse \x96 1")),
            midi.track(
                midi.meta(0, 1, b"@Ttitle"),
                midi.meta(0, 1, b"\\Ma"),
                midi.meta(96, 1, b"ry "),
                midi.meta(0, 5, b"\x81"),
            ),
        )
    )
    assert [(text.kind, text.text, text.time_s) for text in song.texts] == [
        ("title", "Käfer", 0),
        ("marker", "Verse – 1", 0),
        ("text", "@Ttitle", 0),
        ("lyric", "\\Ma", 0),
        ("lyric", "ry ", 0.5),
        ("lyric", "\x81", 0.5),
    ]


def test_a_file_without_notes_is_a_song_without_notes(midi) -> None:
    song = read_midi(midi.file(midi.track(midi.tempo(96, 500_000))))
    assert len(song.notes) == len(song.events) == 0
    assert (song.end_s, song.duration_s, song.repairs) == (0, 0.5, ())
    assert len(song.notes.visible(0, 10)) == len(song.sustained_notes()) == 0


def test_patterns_of_format_2_follow_each_other_with_their_own_tempo(midi) -> None:
    slow = midi.track(
        midi.tempo(0, 1_000_000), midi.meter(0, 3, 2), midi.on(0, 60), midi.off(96, 60)
    )
    plain = midi.track(midi.on(0, 62), midi.off(96, 62))
    song = read_midi(midi.file(slow, plain, kind=2))
    assert song.notes.start_s.tolist() == [0, 1]
    assert song.notes.end_s.tolist() == [1, 1.5]
    assert [track.start_s for track in song.tracks] == [0, 1]
    assert [(change.time_s, change.numerator) for change in song.meter_map.changes] == [
        (0, 3),
        (1, 4),
    ]
    assert "one after the other" in song.repairs[0].message


def test_a_riff_wrapper_is_taken_off(midi) -> None:
    inner = midi.file(midi.track(midi.scale()))
    data = b"data" + len(inner).to_bytes(4, "little") + inner
    info = b"LIST\x04\x00\x00\x00INFO"
    size = len(data) + len(info) + 4
    song = read_midi(b"RIFF" + size.to_bytes(4, "little") + b"RMID" + info + data + info)
    assert (len(song.notes), song.repairs) == (8, ())
