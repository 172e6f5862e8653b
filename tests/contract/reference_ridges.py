"""References of the ridge filters."""

from functools import partial

import numpy as np
from skimage import filters

from .case import Case

DTYPES = ("uint8", "int16", "float64")


def fibres(volume):
    """Bright and dark lines in noise; large enough for scikit-image, which reads beyond the memory of small images."""

    def image(dtype):
        rng = np.random.default_rng(3)
        shape = (24, 25, 26) if volume else (70, 83)
        values = rng.random(shape) * 30 + 100
        values[..., shape[-1] // 2 - 1 : shape[-1] // 2 + 2] += 80
        values[..., shape[-2] // 3, :] -= 70
        return (values if dtype.kind != "f" else values / 255).astype(dtype)

    return image


def cases(name, volume, **parameters):
    reference = partial(getattr(filters, name), **parameters)
    # Frangi's measure of volumes divides by eigenvalues near zero: what float32 rounds of the derivatives grows there.
    # scikit-image's own float32 is up to 1e-4 off its float64, ours up to 4e-4 (a piece of a film of cells).
    single = 5e-4 if volume and name == "frangi" else 2e-4
    for dtypes, rtol in ((DTYPES, 1e-9), (("float32",), single)):
        yield Case(f"filters.{name}", reference, parameters, dtypes, rtol, volume, image=fibres(volume))


CASES = [
    *cases("sato", False),
    *cases("sato", False, sigmas=(1.5, 2), black_ridges=False),
    *cases("sato", True, sigmas=(1.2, 2)),
    *cases("frangi", False),
    *cases("frangi", False, sigmas=(2, 1.5), beta=0.7, gamma=0.3, black_ridges=False),
    *cases("frangi", True, sigmas=(1.2, 2), alpha=0.4),
    *cases("meijering", False),
    *cases("meijering", False, sigmas=(2, 1.5), alpha=-0.2, black_ridges=False),
    *cases("meijering", True, sigmas=(1.2, 2)),
]
