"""What lies beyond the edges of an image: for golden vectors and for certified optima. Imports nothing."""

from __future__ import annotations


def inside(index: int, size: int, boundary: str) -> int | None:
    """Which pixel of an axis of some pixels stands at an index, which may lie beyond the edges; None where it is zero.

    Walked to, from edge to edge: 'wrap' moves by the size, 'reflect' mirrors about the outer side of the edge pixel,
    'mirror' about its centre, 'nearest' stays on it. 'free' and 'valid' have nothing beyond, and must not be asked.
    """
    while not 0 <= index < size:
        low = index < 0
        if boundary == "constant":
            return None
        if boundary == "nearest":
            index = 0 if low else size - 1
        elif boundary == "wrap":
            index += size if low else -size
        elif boundary == "reflect":
            index = -1 - index if low else 2 * size - 1 - index
        elif boundary == "mirror":
            index = 0 if size == 1 else -index if low else 2 * (size - 1) - index
        else:
            raise ValueError(f"nothing is known beyond the edges with the boundary {boundary!r}")
    return index
