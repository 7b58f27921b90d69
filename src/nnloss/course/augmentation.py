"""The course's augmentation: each image is rotated and shifted in one step, then flipped."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnloss._keras import keras


@keras.saving.register_keras_serializable(package="nnloss")
class RandomAffine(keras.layers.Layer):
    r"""Rotation, shift and flip of images, random for each image and in training only.

    Rotation and shifts are composed into one affine map, as in ``ImageDataGenerator`` of Keras 2,
    which the course used through R. The map is applied once, with bilinear interpolation and the
    nearest pixel outside the image. Keras 3 has a layer for each of these steps, and every layer
    interpolates: two of them blur the images more than one.

    Parameters
    ----------
    rotation : float, default 10.0
        Largest rotation in degrees, in both directions.
    shift : float, default 0.1
        Largest vertical and horizontal shift, as a share of the height and width.
    flip : bool, default True
        Whether half of the images are mirrored horizontally.
    seed : int, optional
        Seed of the layer's own generator. Default: drawn from the seed of Keras.
    **kwargs
        Further arguments of ``keras.layers.Layer``.

    Notes
    -----
    A pixel at (row, column) of the result shows the pixel of the image at

    .. math:: c + R_\theta (p + s - c)

    where :math:`p` is the pixel, :math:`c` the centre of the image, :math:`R_\theta` the rotation
    matrix and :math:`s` the shift.
    """

    def __init__(
        self,
        rotation: float = 10.0,
        shift: float = 0.1,
        *,
        flip: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rotation, self.shift, self.flip, self.seed = rotation, shift, flip, seed
        self.generator = keras.random.SeedGenerator(seed)
        self.supports_jit = False  # the map is not an operation of XLA

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the images, changed in training.

        Parameters
        ----------
        images : tensor of float, shape (N, height, width, channels)
        training : bool, default False

        Returns
        -------
        tensor of the shape of `images`
        """
        if not training:
            return images
        n = keras.ops.shape(images)[0]
        drawn = keras.random.uniform((4, n), -1.0, 1.0, seed=self.generator)
        angle = drawn[0] * (self.rotation * np.pi / 180)
        height, width = images.shape[1:3]
        down, right = drawn[1] * (self.shift * height), drawn[2] * (self.shift * width)
        flipped = keras.ops.cast(drawn[3] < 0, drawn.dtype) * float(self.flip)
        return keras.ops.image.affine_transform(
            images,
            affine_maps(angle, down, right, flipped, (height, width)),
            interpolation="bilinear",
            fill_mode="nearest",
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the layer, for serialisation."""
        own = {name: getattr(self, name) for name in ("rotation", "shift", "flip", "seed")}
        config: dict[str, Any] = super().get_config()
        return config | own


def affine_maps(angle: Any, down: Any, right: Any, flipped: Any, size: tuple[int, int]) -> Any:
    """Return the maps of ``keras.ops.image.affine_transform`` for N images, of shape (N, 8).

    `angle` is in radians, `down` and `right` are in pixels, `flipped` is 1 for an image that is
    mirrored last. Each has the shape (N,).
    """
    cos, sin = keras.ops.cos(angle), keras.ops.sin(angle)
    middle_row, middle_column = (size[0] - 1) / 2, (size[1] - 1) / 2
    # The column is mirrored about the middle; measured from there, it changes its sign.
    sign = 1 - 2 * flipped
    row, column = down - middle_row, right - sign * middle_column
    zero = keras.ops.zeros_like(cos)
    return keras.ops.stack(
        [
            cos * sign, sin, sin * row + cos * column + middle_column,
            -sin * sign, cos, cos * row - sin * column + middle_row,
            zero, zero,
        ],
        axis=1,
    )  # fmt: skip
