"""Point spread functions: non-negative arrays that sum to one, peak or centre at sample ``(shape - 1) // 2``."""

from refdeconv.psf.atmosphere import moffat
from refdeconv.psf.gaussians import article, gaussian
from refdeconv.psf.measured import as_psf, from_array, from_file
from refdeconv.psf.optics import airy, defocus
from refdeconv.psf.uniform import box, delta, motion

__all__ = [
    "airy",
    "article",
    "as_psf",
    "box",
    "defocus",
    "delta",
    "from_array",
    "from_file",
    "gaussian",
    "moffat",
    "motion",
]
