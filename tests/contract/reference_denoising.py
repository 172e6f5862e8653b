"""References of denoising."""

import numpy as np
from skimage.restoration import _denoise_cy, denoise_nl_means

from .case import Case

SOME = ("uint8", "int16", "float64")
WRONG = "its table of distances has 6 x 6 entries for a window of 5 x 5: _compute_spatial_lut(5, 1.0).size == 36"


def as_float(image):
    return image if image.dtype.kind == "f" else image.astype(float)


def bell(distance, sigma):
    return np.exp(-0.5 * (distance**2 / sigma**2))


def right_bilateral(win_size=7, sigma_color=None, sigma_spatial=1.0, bins=10000):
    """scikit-image's own loop, with the tables it means to have."""

    def reference(image):
        image = as_float(image)
        low, high = image.min(), image.max()
        if low == high:
            return image
        span = float(high - min(low, 0))
        side = np.arange(-(win_size // 2), win_size // 2 + 1)
        near = bell(np.hypot(side[:, None], side), sigma_spatial).astype(image.dtype).ravel()
        deviation = float(image.std()) if sigma_color is None else sigma_color
        colours = bell(np.linspace(0, span, bins, endpoint=False), deviation).astype(image.dtype)
        out = np.empty((*image.shape, 1), image.dtype)
        source = np.ascontiguousarray((image - min(low, 0))[..., None])
        _denoise_cy._denoise_bilateral(
            source, span, win_size, deviation, sigma_spatial, bins, "symmetric", 0.0, colours, near,
            np.empty(1, image.dtype), out,
        )  # fmt: skip
        return out[..., 0] + min(low, 0)

    return reference


def plain_bilateral(win_size, sigma_color, sigma_spatial, bins):
    """Volumes, which scikit-image does not take: one neighbour after the other."""

    def reference(image):
        image = as_float(image)
        reach = win_size // 2
        low, span = image.min(), image.max() - min(image.min(), 0)
        if low == image.max():
            return image
        wide = np.pad(image, reach, mode="symmetric")
        total, weights = np.zeros(image.shape), np.zeros(image.shape)
        for offset in np.ndindex((win_size,) * 3):
            other = wide[tuple(slice(o, o + n) for o, n in zip(offset, image.shape))]
            number = np.minimum(np.floor(abs(image - other) * (bins / span)), bins - 1)
            weight = bell(number * (span / bins), sigma_color) * bell(
                np.sqrt(sum((o - reach) ** 2 for o in offset)), sigma_spatial
            )
            total += weight * other
            weights += weight
        return total / weights

    return reference


def nl_means(h, patch_size, patch_distance, sigma=0.0):
    def reference(image):
        denoised = denoise_nl_means(
            as_float(image), patch_size, patch_distance, h, fast_mode=False, sigma=sigma, preserve_range=True
        )
        return denoised.reshape(image.shape)

    return reference


def noisy(shape):
    """A step and noise, in grey values that fit all dtypes."""

    def image(dtype):
        rng = np.random.default_rng(5)
        values = np.where(np.arange(shape[-1]) < shape[-1] // 2, 30, 90) + rng.normal(0, 8, shape)
        return np.clip(values, 0, 127).astype(dtype)

    return image


CASES = [
    *(
        Case("filters.bilateral", right_bilateral(**parameters), parameters, dtypes, rtol, wrong=WRONG)
        for dtypes, rtol in ((("bool", *SOME), 1e-12), (("float32",), 1e-5))
        for parameters in ({}, {"win_size": 7, "sigma_color": 0.3, "sigma_spatial": 2.0, "bins": 500})
    ),
    Case(
        "filters.bilateral",
        plain_bilateral(3, 20.0, 1.5, 300),
        {"win_size": 3, "sigma_color": 20.0, "sigma_spatial": 1.5, "bins": 300},
        SOME,
        1e-12,
        volume=True,
        image=noisy((7, 11, 13)),
        wrong="scikit-image takes planes only",
    ),
    *(
        Case("filters.nl_means", nl_means(**parameters), parameters, dtypes, rtol, volume, image=noisy(shape))
        for dtypes, rtol in ((SOME, 1e-12), (("float32",), 1e-5))
        for volume, shape, parameters in (
            (False, (61, 47), {"h": 9.0, "patch_size": 7, "patch_distance": 5}),
            (False, (40, 300), {"h": 6.0, "patch_size": 3, "patch_distance": 4, "sigma": 5.0}),
            (False, (1, 30), {"h": 9.0, "patch_size": 5, "patch_distance": 5}),
            (True, (14, 13, 15), {"h": 12.0, "patch_size": 3, "patch_distance": 3, "sigma": 3.0}),
        )
    ),
]
