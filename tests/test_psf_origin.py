"""Whole blurred images of other libraries, equal to Convolution's at the origin that `psf_origin` says.

PyLops, SCICO and deepinv are compared where they are installed::

    pip install pylops scico deepinv

Compared with scipy 1.17.1, scikit-image 0.26.0, PyLops 2.8.0, SCICO 0.0.7 and deepinv 0.5.0.
"""

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import skimage.restoration
from skimage.restoration import uft

import refdeconv as rd
from refdeconv import psf_origin

# Odd, even and mixed sizes, never square.
SIZES = [(3, 5), (4, 6), (4, 3), (1, 2), (5, 2)]
SHAPE = (9, 11)

every_size = pytest.mark.parametrize("sizes", SIZES)


def random_images(sizes, seed=0):
    rng = np.random.default_rng([seed, *sizes])
    return rng.standard_normal(SHAPE), rng.standard_normal(sizes)


def assert_blurs_like(expected, x, psf, origin, boundary="constant", tolerance=1e-14):
    """That the whole image is the same, and with any other origin is not."""
    expected = np.asarray(expected)
    scale = np.linalg.norm(psf) * np.linalg.norm(x)
    for other in np.ndindex(*psf.shape):
        found = rd.Convolution(psf, x.shape, boundary, other).forward(x)
        error = np.linalg.norm(found - expected) / scale
        assert error <= tolerance if other == origin else error > 1e-3


@every_size
@pytest.mark.parametrize("name", ["convolve", "fftconvolve", "oaconvolve", "convolve2d"])
def test_scipy_signal(name, sizes):
    x, psf = random_images(sizes)
    expected = getattr(scipy.signal, name)(x, psf, mode="same")
    assert_blurs_like(expected, x, psf, psf_origin.scipy_signal(sizes))


@every_size
@pytest.mark.parametrize(("theirs", "ours"), [("fill", "constant"), ("wrap", "wrap"), ("symm", "reflect")])
def test_boundaries_of_scipy_signal(theirs, ours, sizes):
    x, psf = random_images(sizes)
    expected = scipy.signal.convolve2d(x, psf, mode="same", boundary=theirs)
    assert_blurs_like(expected, x, psf, psf_origin.scipy_signal(sizes), ours)


@every_size
@pytest.mark.parametrize("boundary", ["constant", "wrap", "reflect", "mirror", "nearest"])
def test_scipy_ndimage(boundary, sizes):
    x, psf = random_images(sizes)
    for shift in np.ndindex(*sizes):  # every origin that it allows
        origin = [s - k // 2 for s, k in zip(shift, sizes, strict=True)]
        expected = scipy.ndimage.convolve(x, psf, mode=boundary, origin=origin)
        assert_blurs_like(expected, x, psf, psf_origin.scipy_ndimage(sizes, origin), boundary)


def test_scipy_ndimage_refuses_what_we_refuse():
    x, psf = random_images((4, 3))
    for origin in ((2, 0), (-3, 0), (0, 2), (0, -2)):
        with pytest.raises(ValueError, match="origin"):
            scipy.ndimage.convolve(x, psf, origin=origin)
        with pytest.raises(ValueError, match="origin must lie inside"):
            psf_origin.scipy_ndimage((4, 3), origin)


def test_the_default_origin_is_that_of_scipy_signal():
    assert rd.Convolution(np.ones((4, 5)), SHAPE).origin == psf_origin.scipy_signal((4, 5)) == (1, 2)
    assert psf_origin.scipy_ndimage((4, 5)) == (2, 2)


@every_size
def test_richardson_lucy(sizes):
    """Its steps with our forward, and for the adjoint what it takes: the flipped PSF at the default origin."""
    rng = np.random.default_rng(0)
    image, psf = rng.uniform(0.5, 1, SHAPE), rng.uniform(0.1, 1, sizes)
    psf /= psf.sum()
    origin = psf_origin.skimage_richardson_lucy(sizes)
    K = rd.Convolution(psf, SHAPE, origin=origin)
    back = rd.Convolution(np.flip(psf), SHAPE, origin=origin).forward
    x, with_adjoint = np.full(SHAPE, 0.5), np.full(SHAPE, 0.5)
    for _ in range(4):
        x = x * back(image / K.forward(x))
        with_adjoint = with_adjoint * K.adjoint(image / K.forward(with_adjoint))
    found = skimage.restoration.richardson_lucy(image, psf, num_iter=4, clip=False)
    assert np.allclose(found, x, rtol=1e-9)  # it adds 1e-12 to what it divides by
    odd = all(k % 2 for k in sizes)
    assert np.allclose(found, with_adjoint, rtol=1e-9) == odd


@every_size
def test_transfer_functions_of_scikit_image(sizes):
    """`wiener` and `unsupervised_wiener` both take the spectrum of the PSF from `uft.ir2tf`."""
    x, psf = random_images(sizes)
    blurred = uft.uirfft2(uft.ir2tf(psf, SHAPE) * uft.urfft2(x), SHAPE)
    assert_blurs_like(blurred, x, psf, psf_origin.skimage_wiener(sizes), "wrap")


@every_size
def test_wiener(sizes):
    """What it returns solves the normal equations of our operators, at this origin alone."""
    image, psf = random_images(sizes)
    balance, laplacian = 0.3, np.array([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    found = skimage.restoration.wiener(image, psf, balance, clip=False)
    R = rd.Convolution(laplacian, SHAPE, "wrap")
    for origin in np.ndindex(*sizes):
        K = rd.Convolution(psf, SHAPE, "wrap", origin)
        residual = K.gram(found) + balance * R.gram(found) - K.adjoint(image)
        small = np.linalg.norm(residual) <= 1e-12 * np.linalg.norm(K.adjoint(image))
        assert small == (origin == psf_origin.skimage_wiener(sizes))


@every_size
def test_unsupervised_wiener(sizes):
    """It samples, so that no formula gives its result; but the image stays in its place at this origin alone."""
    rng = np.random.default_rng(0)
    sharp = scipy.ndimage.gaussian_filter(rng.standard_normal((24, 27)), 1, mode="wrap")
    psf = rng.uniform(0.5, 1, sizes)
    psf /= psf.sum()
    options = {"clip": False, "rng": 0, "user_params": {"max_num_iter": 30, "min_num_iter": 20, "burnin": 5}}
    errors = {}
    for origin in np.ndindex(*sizes):
        blurred = rd.Convolution(psf, sharp.shape, "wrap", origin).forward(sharp)
        restored, _ = skimage.restoration.unsupervised_wiener(blurred, psf, **options)
        errors[origin] = np.linalg.norm(restored - sharp)
    assert min(errors, key=errors.get) == psf_origin.skimage_wiener(sizes)


@every_size
@pytest.mark.parametrize("method", ["fft", "direct"])
def test_pylops(method, sizes):
    pylops = pytest.importorskip("pylops", reason="pip install pylops")
    x, psf = random_images(sizes)
    default = pylops.signalprocessing.ConvolveND(SHAPE, psf, method=method)
    assert_blurs_like((default @ x.ravel()).reshape(SHAPE), x, psf, psf_origin.pylops(sizes))
    for offset in np.ndindex(*sizes):
        for operator in (pylops.signalprocessing.Convolve2D, pylops.signalprocessing.ConvolveND):
            theirs = operator(SHAPE, psf, offset=offset, method=method)
            K = rd.Convolution(psf, SHAPE, origin=psf_origin.pylops(sizes, offset))
            assert np.allclose((theirs @ x.ravel()).reshape(SHAPE), K.forward(x), rtol=0, atol=1e-13)
            assert np.allclose((theirs.H @ x.ravel()).reshape(SHAPE), K.adjoint(x), rtol=0, atol=1e-13)


@every_size
def test_scico(sizes):
    linop = pytest.importorskip("scico.linop", reason="pip install scico")
    snp = pytest.importorskip("scico.numpy")
    x, psf = (array.astype(np.float32) for array in random_images(sizes))
    same = linop.Convolve(snp.array(psf), SHAPE, mode="same")
    assert_blurs_like(same(snp.array(x)), x, psf, psf_origin.scico_convolve(sizes), tolerance=1e-6)
    K = rd.Convolution(psf, SHAPE, origin=psf_origin.scico_convolve(sizes))
    assert np.allclose(same.adj(snp.array(x)), K.adjoint(x), rtol=0, atol=1e-5)
    valid = linop.Convolve(snp.array(psf), SHAPE, mode="valid")
    assert np.allclose(valid(snp.array(x)), rd.Convolution(psf, SHAPE, "valid").forward(x), rtol=0, atol=1e-5)


@every_size
def test_scico_circular(sizes):
    linop = pytest.importorskip("scico.linop", reason="pip install scico")
    snp = pytest.importorskip("scico.numpy")
    x, psf = (array.astype(np.float32) for array in random_images(sizes))
    default = linop.CircularConvolve(snp.array(psf), SHAPE)
    assert_blurs_like(default(snp.array(x)), x, psf, psf_origin.scico_circular_convolve(sizes), "wrap", 1e-6)
    for centre in np.ndindex(*sizes):
        theirs = linop.CircularConvolve(snp.array(psf), SHAPE, h_center=centre)
        origin = psf_origin.scico_circular_convolve(sizes, centre)
        assert_blurs_like(theirs(snp.array(x)), x, psf, origin, "wrap", 1e-6)


@every_size
@pytest.mark.parametrize("name", ["conv2d", "conv2d_fft", "Blur"])
@pytest.mark.parametrize(
    ("padding", "boundary"),
    [("constant", "constant"), ("circular", "wrap"), ("reflect", "mirror"), ("replicate", "nearest")],
)
@pytest.mark.filterwarnings("ignore")
def test_deepinv(padding, boundary, name, sizes):
    physics = pytest.importorskip("deepinv", reason="pip install deepinv").physics
    torch = pytest.importorskip("torch")
    x, psf = random_images(sizes)
    image, kernel = (torch.from_numpy(array)[None, None] for array in (x, psf))
    if name == "Blur":
        blurred = physics.Blur(filter=kernel, padding=padding)(image)
    else:
        blurred = getattr(physics.functional, name)(image, kernel, padding=padding)
    assert_blurs_like(blurred[0, 0].numpy(), x, psf, psf_origin.deepinv(sizes), boundary)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: psf_origin.scipy_signal((3, 0)), ValueError, "sizes needs at least one axis"),
        (lambda: psf_origin.deepinv("ab"), TypeError, "each size in sizes must be an integer"),
        (lambda: psf_origin.scipy_ndimage((3, 3), (1, 1, 1)), ValueError, "origin needs one number"),
        (lambda: psf_origin.pylops((3, 4), (0, 4)), ValueError, "must lie inside"),
        (lambda: psf_origin.pylops(3, -1), ValueError, "must lie inside"),
        (lambda: psf_origin.scico_circular_convolve(4, 1.5), TypeError, "h_center must be an integer"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
