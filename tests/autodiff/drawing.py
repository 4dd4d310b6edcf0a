"""Which random problems hypothesis draws for a model and a framework."""

import math

from hypothesis import strategies as st

from .models import MODELS, Problem, Shape

Sizes = tuple[Shape, Shape]  # of the data, of the PSF

# JAX compiles anew for every pair of sizes, which takes longer than all the rest; so it gets only these.
JAX_SIZES: dict[int, list[Sizes]] = {
    2: [
        ((7, 5), (3, 3)),
        ((6, 9), (3, 4)),
        ((8, 5), (4, 3)),
        ((5, 11), (2, 6)),
        ((12, 7), (1, 5)),
        ((4, 7), (9, 2)),  # the PSF is larger along one axis, smaller along the other
        ((3, 4), (8, 11)),  # larger along both
    ],
    3: [((5, 4, 3), (3, 2, 1)), ((2, 5, 4), (2, 3, 4)), ((2, 6, 3), (3, 1, 2)), ((4, 3, 6), (5, 4, 3))],
}


def problems(model: str, framework: str) -> st.SearchStrategy[Problem]:
    """Non-square images, PSFs odd and even, weights and smoothing far from their defaults."""
    ndim = MODELS[model].ndim
    largest, largest_psf = {2: (12, 15), 3: (5, 5)}[ndim]
    sizes = st.tuples(
        st.tuples(*[st.integers(1, largest)] * ndim).filter(lambda shape: len(set(shape)) > 1),
        st.tuples(*[st.integers(1, largest_psf)] * ndim),
    )
    if framework == "jax":
        sizes = st.sampled_from(JAX_SIZES[ndim])
    # The curvature of the smoothed TV changes over a step of epsilon, so that a rounding of x counts x / epsilon times
    # in it. Only the softplus rounds: the points are short numbers, and so are their squares.
    smallest = 1 / 8 if model == "poisson-tv-softplus" else 1 / 64
    return st.builds(
        lambda sizes, mu, epsilon, seed: Problem(model, *sizes, mu, epsilon, seed),
        sizes.filter(lambda sizes: _posable(model, framework, *sizes)),
        mu=st.floats(1 / 64, 10, width=32),
        epsilon=st.floats(smallest, 2, width=32),
        seed=st.integers(0, 2**32 - 1),
    )


def _posable(model: str, framework: str, shape: Shape, psf_shape: Shape) -> bool:
    # The Hessian of a norm projects its argument: on two or three pixels little or nothing is left of a direction, and
    # the relative error of that remainder is one of the draw, not of a formula.
    if math.prod(shape) < 8:
        return False
    # Autograd's convolve recurses for ever on two arrays of the same number of elements of which each is the longer
    # along one axis; the gradient convolves the residual with the PSF.
    if framework == "autograd" and math.prod(shape) == math.prod(psf_shape) and shape != psf_shape:
        return False
    # The same in each pixel of a smoothed TV that has one difference d only: what is left of v / s - d (d v) / s**3,
    # which is what differentiating sqrt(d**2 + epsilon**2) comes to, is a part (epsilon / s)**2. A row or column of
    # pixels has nothing else.
    if model != "article" and min(shape) < 2:
        return False
    if model == "reflect" and framework == "tensorflow":
        # tf.pad mirrors an image only once.
        return all(k // 2 <= n for n, k in zip(shape, psf_shape, strict=True))
    return True
