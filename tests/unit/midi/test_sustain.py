"""The sustain pedal."""

from __future__ import annotations

from workers.midi import read_midi

DOWN, UP = 127, 0


def ends(midi, *events: bytes) -> list[tuple[int, float]]:
    song = read_midi(midi.file(midi.track(*events)))
    notes = song.sustained_notes()
    assert notes.start_s.tolist() == song.notes.start_s.tolist()
    return list(zip(notes.key.tolist(), notes.end_s.tolist(), strict=True))


def test_a_held_note_ends_when_the_pedal_goes_up(midi) -> None:
    assert ends(
        midi,
        midi.on(0, 60),
        midi.control(48, 64, DOWN),
        midi.off(48, 60),
        midi.control(96, 64, UP),
        midi.on(0, 62),
        midi.off(96, 62),
    ) == [(60, 1), (62, 1.5)]


def test_a_held_note_ends_when_its_key_is_struck_again(midi) -> None:
    pedal = midi.control(0, 64, DOWN)
    assert ends(
        midi, pedal, midi.on(0, 60), midi.off(96, 60), midi.on(96, 60), midi.off(96, 60)
    ) == [
        (60, 1),
        (60, 1.5),
    ]


def test_a_held_note_ends_with_its_track(midi) -> None:
    pedal = midi.control(0, 64, DOWN)
    assert ends(midi, pedal, midi.on(0, 60), midi.off(96, 60), midi.meta(96, 6, b"x")) == [(60, 1)]


def test_a_pedal_that_moves_as_the_key_is_let_go_holds_nothing(midi) -> None:
    late_down = (midi.on(0, 60), midi.off(96, 60), midi.control(0, 64, DOWN), midi.on(96, 61))
    assert ends(midi, *late_down)[0] == (60, 0.5)
    up = (midi.control(0, 64, DOWN), midi.on(0, 60), midi.off(96, 60), midi.control(0, 64, UP))
    assert ends(midi, *up, midi.on(96, 61))[0] == (60, 0.5)


def test_resetting_the_controllers_lifts_the_pedal(midi) -> None:
    events = (midi.control(0, 64, DOWN), midi.on(0, 60), midi.off(96, 60), midi.control(96, 121, 0))
    assert ends(midi, *events, midi.on(96, 61))[0] == (60, 1)


def test_half_pedal_counts_from_64_on_its_own_channel_only(midi) -> None:
    for value, channel, expected in ((64, 0, 1), (63, 0, 0.5), (64, 1, 0.5)):
        pedal = midi.control(0, 64, value, channel)
        assert ends(midi, pedal, midi.on(0, 60), midi.off(96, 60), midi.on(96, 61))[0] == (
            60,
            expected,
        )


def test_percussion_is_left_alone(midi) -> None:
    events = (midi.control(0, 64, DOWN, 9), midi.on(0, 36, channel=9), midi.off(96, 36, 9))
    assert ends(midi, *events, midi.on(96, 61))[0] == (36, 0.5)


def test_the_pedal_is_listed_by_its_changes(midi) -> None:
    moves = [midi.control(96, 64, value) for value in (0, 100, 127, 10, 0, 64)]
    times, down = read_midi(midi.file(midi.track(*moves))).pedal(0)
    assert list(zip(times.tolist(), down.tolist(), strict=True)) == [
        (1, True),
        (2, False),
        (3, True),
    ]
