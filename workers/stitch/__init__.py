"""Stitching: segments and sound become one finished, verified file; nothing is encoded again."""

from workers.stitch.finish import stitch
from workers.stitch.packets import REORDER, Placed, interleave, place_packets, reorder_of

__all__ = ["REORDER", "Placed", "interleave", "place_packets", "reorder_of", "stitch"]
