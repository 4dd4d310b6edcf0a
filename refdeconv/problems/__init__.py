"""Ready-made objectives, each a few lines of composition, and the article's problem with its data."""

from refdeconv.problems.article import Problem, article, astronaut
from refdeconv.problems.by_name import FIDELITIES, POSITIVITY, REGULARIZERS, Model, by_name
from refdeconv.problems.ready_made import (
    least_squares_hessian_schatten,
    least_squares_tikhonov,
    least_squares_total_variation,
    norm_and_gradient_norm,
    poisson_entropy,
    poisson_good_roughness,
    poisson_total_variation,
    robust_total_variation,
)
from refdeconv.problems.sampled_and_blind import blind, inpainting, super_resolution

__all__ = [
    "FIDELITIES",
    "POSITIVITY",
    "REGULARIZERS",
    "Model",
    "Problem",
    "article",
    "astronaut",
    "blind",
    "by_name",
    "inpainting",
    "least_squares_hessian_schatten",
    "least_squares_tikhonov",
    "least_squares_total_variation",
    "norm_and_gradient_norm",
    "poisson_entropy",
    "poisson_good_roughness",
    "poisson_total_variation",
    "robust_total_variation",
    "super_resolution",
]
