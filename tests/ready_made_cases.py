"""Instances of the regularisers and the ready-made problems, for the contract that every functional keeps.

Each case's name begins with the public name, as in `refdeconv`. They are made of parts that have cases of their own in
every shape; so a few shapes are enough here.
"""

from refdeconv import problems, regularizers

SHAPES = [(7,), (5, 8), (3, 2, 5)]


def ready_made(make, *, positive=False):
    """A case in a few shapes; `positive`: its images are."""
    make.shapes = SHAPES
    if positive:
        make.point = lambda shape, rng: rng.uniform(0.3, 3, shape)
    return make


def steps(shape, rng):
    """A distance between pixels for each axis."""
    return tuple(rng.uniform(0.5, 2, len(shape)))


def psf_for(shape, rng):
    """An asymmetric PSF, even along the first axis and odd along the others, of sum one."""
    psf = rng.uniform(0.1, 1, [2 + (axis > 0) for axis in range(len(shape))])
    return psf / psf.sum()


def of_data(name, *, positive=False, **options):
    """A ready-made problem; options may be functions of shape and generator."""

    def make(shape, rng):
        made = {key: option(shape, rng) if callable(option) else option for key, option in options.items()}
        return getattr(problems, name)(rng.uniform(0.3, 4, shape), psf_for(shape, rng), mu=0.37, **made)

    return ready_made(make, positive=positive)


def weights(shape, rng):
    return rng.uniform(0.2, 2, shape)


def mask(shape, rng):
    seen = rng.random(shape) < 0.7
    seen.flat[0] = True
    return seen


def with_spacing(name, *parameters, positive=False, **options):
    """A regulariser with a distance between pixels for each axis."""
    return ready_made(
        lambda shape, rng: getattr(regularizers, name)(shape, *parameters, spacing=steps(shape, rng), **options),
        positive=positive,
    )


def blind(shape, rng):
    return problems.blind(rng.uniform(0.3, 4, shape), (2,) * len(shape), 0.37, epsilon=0.4)


def constrained_by_name(shape, rng):
    model = problems.by_name(
        rng.uniform(0.3, 4, shape),
        psf_for(shape, rng),
        0.37,
        fidelity="poisson",
        regularizer="good-roughness",
        boundary="reflect",
        positivity="softplus",
        fidelity_options={"background": 0.3},
    )
    return model.objective


READY_MADE = {
    "regularizers.tikhonov": ready_made(lambda shape, rng: regularizers.tikhonov(shape)),
    "regularizers.tikhonov of the gradient": with_spacing("tikhonov", "gradient"),
    "regularizers.tikhonov of the Laplacian": with_spacing("tikhonov", "laplacian"),
    "regularizers.gradient_norm": with_spacing("gradient_norm"),
    "regularizers.total_variation": with_spacing("total_variation", 0.4),
    "regularizers.total_variation anisotropic": with_spacing("total_variation", 0.3, isotropic=False),
    "regularizers.total_variation of channels": ready_made(
        lambda shape, rng: regularizers.total_variation((2, *shape), 0.3, channel_axis=0)
    ),
    "regularizers.huber_total_variation": with_spacing("huber_total_variation", 0.9),
    "regularizers.hessian_norm": with_spacing("hessian_norm", 0.4),
    "regularizers.hessian_schatten": with_spacing("hessian_schatten", 0.4),
    "regularizers.good_roughness": with_spacing("good_roughness", positive=True),
    "regularizers.entropy": ready_made(
        lambda shape, rng: regularizers.entropy(rng.uniform(0.3, 3, shape)), positive=True
    ),
    "regularizers.smoothed_l1": ready_made(lambda shape, rng: regularizers.smoothed_l1(shape, 0.4)),
    "problems.article": ready_made(
        lambda shape, rng: problems.article(rng.random(shape), psf_for(shape, rng), mu=0.37).objective
    ),
    "problems.norm_and_gradient_norm reflect": of_data("norm_and_gradient_norm", boundary="reflect"),
    "problems.least_squares_tikhonov": of_data("least_squares_tikhonov", weight=weights, boundary="mirror"),
    "problems.least_squares_total_variation": of_data("least_squares_total_variation", epsilon=0.4, boundary="valid"),
    "problems.least_squares_hessian_schatten": of_data("least_squares_hessian_schatten", epsilon=0.4, boundary="wrap"),
    "problems.robust_total_variation": of_data("robust_total_variation", delta=0.4, epsilon=0.3, boundary="nearest"),
    "problems.poisson_total_variation": of_data(
        "poisson_total_variation", positive=True, epsilon=0.4, background=weights, weight=weights
    ),
    "problems.poisson_good_roughness": of_data("poisson_good_roughness", positive=True, boundary="reflect"),
    "problems.poisson_entropy": of_data("poisson_entropy", positive=True, prior=weights),
    "problems.super_resolution": ready_made(
        lambda shape, rng: problems.super_resolution(
            rng.uniform(0.3, 4, shape), psf_for(shape, rng), 0.37, factor=2, epsilon=0.4
        )
    ),
    "problems.inpainting": of_data("inpainting", mask=mask, epsilon=0.4),
    "problems.blind": ready_made(blind),
    "problems.by_name": ready_made(constrained_by_name),
}
