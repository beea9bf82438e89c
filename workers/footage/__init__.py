"""Videos as material: the picture that is on screen at a time, exact and in any order."""

from workers.footage.footage import Footage, FootageFacts, check_footage

__all__ = ["Footage", "FootageFacts", "check_footage"]
