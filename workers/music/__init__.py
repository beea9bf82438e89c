"""What follows from a song, whatever the frame: beats, chords, words, hands, staves."""

from workers.music.facts import Music

__all__ = ["Music"]
