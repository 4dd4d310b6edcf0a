"""What all PSFs share: numbers for each axis, where the samples lie, what a pixel covers, the sum of one."""

from collections.abc import Sequence

import numpy as np

from refdeconv._arrays import Array, Shape, real_number


def per_axis(
    value: float | Sequence[float] | Array,
    ndim: int,
    name: str,
    *,
    minimum: float | None = None,
    exclusive: bool = False,
) -> tuple[float, ...]:
    """One finite number for each axis, of one for all, or of one for each."""
    several = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)
    numbers = tuple(value) if several else (value,) * ndim  # type: ignore[arg-type]
    if len(numbers) != ndim:
        raise ValueError(f"{name} needs one number, or one for each of the {ndim} axes, got {len(numbers)}")
    return tuple(float(real_number(number, name, minimum=minimum, exclusive=exclusive)) for number in numbers)


def centre_of(centre: float | Sequence[float] | None, shape: Shape) -> tuple[float, ...]:
    """The centre in pixels from sample 0, by default the origin of `Convolution`; it lies inside the window."""
    if centre is None:
        return tuple(float((size - 1) // 2) for size in shape)
    position = per_axis(centre, len(shape), "centre")
    for coordinate, size in zip(position, shape, strict=True):
        if not -0.5 <= coordinate <= size - 0.5:
            raise ValueError(f"centre must lie in the window, from -0.5 to size - 0.5 of {shape}, got {centre!r}")
    return position


def sample_distances(shape: Shape, centre: Sequence[float]) -> list[Array]:
    """For each axis the distances ``i - c`` of the samples from the centre, shaped to broadcast over the window."""
    return [along(np.arange(n) - c, axis, len(shape)) for axis, (n, c) in enumerate(zip(shape, centre, strict=True))]


def pixel_edges(size: int, centre: float) -> Array:
    """The distances of the ``size + 1`` edges of the pixels from the centre."""
    return np.arange(size + 1) - 0.5 - centre


def pixel_intervals(edges: Array, length: float, slope: float = 1.0) -> tuple[Array, Array]:
    """The first and last t, of a segment of the given length about 0, for which ``slope * t`` lies in each pixel.

    t is measured in pixels, and below a length of one pixel in lengths, so that the shortest segment has an extent.
    """
    unit = max(length, 1.0)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        t = edges / (slope * (length / unit))
    t[np.isnan(t)] = 0  # no length, and on an edge: half of it on either side
    t = np.clip(t, -unit / 2, unit / 2)
    return np.minimum(t[:-1], t[1:]), np.maximum(t[:-1], t[1:])


def along(profile: Array, axis: int, ndim: int) -> Array:
    """A profile along one of the axes, shaped to broadcast over the window."""
    return profile.reshape((-1,) + (1,) * (ndim - axis - 1))


def separable(shape: Shape, profiles: Sequence[Array]) -> Array:
    """The product of one profile for each axis, divided by its sum."""
    weights = np.ones(shape)
    for axis, profile in enumerate(profiles):
        weights *= along(profile, axis, len(shape))
    return weights / weights.sum()
