"""The rendering: plain functions of plain data that read MIDI, draw, encode, mix and stitch."""
