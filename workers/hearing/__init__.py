"""What the picture listens to: the sound of a song, analysed once and looked up by time."""

from workers.hearing.bands import BAND_HZ, HOP_S, N_BANDS, SOUND_RATE
from workers.hearing.find import find_hearing
from workers.hearing.hearing import Hearing

__all__ = ["BAND_HZ", "HOP_S", "N_BANDS", "SOUND_RATE", "Hearing", "find_hearing"]
