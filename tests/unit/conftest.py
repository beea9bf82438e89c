"""Hypothesis, for machines that are busy with other things."""

from hypothesis import settings

settings.register_profile("midifarm", deadline=None)
settings.load_profile("midifarm")
