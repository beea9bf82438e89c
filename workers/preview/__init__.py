"""Previews: a still, a contact sheet, a short clip, and the last frame of what is rendered."""

from workers.preview.make import make_preview

__all__ = ["make_preview"]
