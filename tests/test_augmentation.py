"""The course's augmentation: one affine map for each image, then a flip."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from nnloss import MULTICLASS, Backup, check_pairing, compile_for_task, set_seed
from nnloss._tensorflow import keras
from nnloss.course.augmentation import RandomAffine, affine_maps
from nnloss.course.cifar10 import AUGMENTATION, network, steps_per_epoch

RANDOM = np.random.default_rng(0)
N, HEIGHT, WIDTH = 40, 24, 32
IMAGES = RANDOM.random((N, HEIGHT, WIDTH, 3), dtype=np.float32)
LABELS = np.eye(10)[RANDOM.integers(0, 10, N)]
UINT8 = RANDOM.integers(0, 256, (N, 32, 32, 3)).astype(np.uint8)


def by_scipy(image, angle, down, right, flipped):
    """Change an image as `ImageDataGenerator` of Keras 2 does."""
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (np.array(image.shape[:2]) - 1) / 2
    offset = middle + rotation @ (np.array([down, right]) - middle)
    channels = [
        ndimage.affine_transform(image[..., channel], rotation, offset, order=1, mode="nearest")
        for channel in range(image.shape[2])
    ]
    changed = np.stack(channels, axis=-1)
    return changed[:, ::-1] if flipped else changed


def test_the_map_is_that_of_scipy():
    drawn = (
        RANDOM.uniform(-0.2, 0.2, N), RANDOM.uniform(-3, 3, N), RANDOM.uniform(-3, 3, N),
        (np.arange(N) % 2).astype(float),
    )  # fmt: skip
    maps = affine_maps(*(values.astype(np.float32) for values in drawn), (HEIGHT, WIDTH))
    ours = keras.ops.image.affine_transform(
        IMAGES, maps, interpolation="bilinear", fill_mode="nearest"
    )
    for image, found, *given in zip(IMAGES, ours, *drawn, strict=True):
        np.testing.assert_allclose(found, by_scipy(image, *given), atol=1e-5)


def test_the_layer_draws_within_its_limits(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "nnloss.course.augmentation.affine_maps",
        lambda *given: (seen.append(given), affine_maps(*given))[1],
    )
    many = np.zeros((4000, 10, 20, 1), np.float32)
    RandomAffine(rotation=10.0, shift=0.1, seed=1)(many, training=True)
    angle, down, right, flipped = (np.asarray(values) for values in seen[0][:4])
    for values, limit in ((angle, np.deg2rad(10)), (down, 1.0), (right, 2.0)):
        assert np.abs(values).max() == pytest.approx(limit, rel=0.01)
        assert values.mean() == pytest.approx(0, abs=0.05 * limit)
        assert values.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert set(flipped) == {0.0, 1.0}
    assert flipped.mean() == pytest.approx(0.5, abs=0.05)
    assert np.abs(np.corrcoef([angle, down, right, flipped]) - np.eye(4)).max() < 0.1


def test_without_a_flip_no_image_is_mirrored():
    slope = np.tile(np.arange(WIDTH, dtype=np.float32)[:, None], (N, HEIGHT, 1, 1))
    for flip in (True, False):
        changed = np.asarray(RandomAffine(flip=flip, seed=1)(slope, training=True))
        rising = changed[:, 12, -1, 0] > changed[:, 12, 0, 0]
        assert rising.all() is np.bool_(not flip)


def test_nothing_changes_outside_training():
    layer = RandomAffine()
    assert layer(IMAGES) is not None
    np.testing.assert_array_equal(layer(IMAGES), IMAGES)
    np.testing.assert_array_equal(layer(IMAGES, training=False), IMAGES)
    assert not np.allclose(layer(IMAGES, training=True), IMAGES)


def test_a_seed_gives_the_same_images():
    first, second = (RandomAffine(seed=3)(IMAGES, training=True) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    layer = RandomAffine(seed=3)
    layer(IMAGES, training=True)
    assert not np.allclose(layer(IMAGES, training=True), first)


def test_the_blur_is_that_of_the_course(data):
    from nnloss import load_cifar10

    images = load_cifar10(data).x_train.astype(np.float32) / 255

    def roughness(values):
        """Compute the mean squared difference of neighbouring pixels, in both directions."""
        return sum(np.mean(np.diff(values, axis=axis) ** 2) for axis in (1, 2))

    assert roughness(images) == pytest.approx(0.0180, rel=0.02)
    layer = RandomAffine(**AUGMENTATION, seed=0)
    changed = np.concatenate([layer(part, training=True) for part in np.split(images, 10)])
    assert roughness(changed) == pytest.approx(0.0119, rel=0.02)


def trained(folder, epochs, backup=None):
    set_seed(0)
    model = compile_for_task(network(augment=True), MULTICLASS, classes=10)
    callbacks = [Backup(backup, "augmented", keep=True)] if backup else []
    steps = steps_per_epoch(N, 16, augment=True)
    model.fit(
        UINT8, LABELS, batch_size=16, epochs=epochs, steps_per_epoch=steps, callbacks=callbacks,
        verbose=0,
    )  # fmt: skip
    return model


def test_a_resumed_training_gives_the_same_bits(tmp_path):
    whole = trained(tmp_path, 3)
    trained(tmp_path, 1, tmp_path / "backup")
    resumed = trained(tmp_path, 3, tmp_path / "backup")
    assert int(whole.optimizer.iterations) == 3 * (N // 16)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_layer_is_saved_with_its_model(tmp_path):
    model = trained(tmp_path, 1)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    (layer,) = (each for each in loaded.layers if isinstance(each, RandomAffine))
    assert {name: getattr(layer, name) for name in AUGMENTATION} == AUGMENTATION
    np.testing.assert_array_equal(loaded.predict(UINT8, verbose=0), model.predict(UINT8, verbose=0))
    assert check_pairing(tmp_path / "model.keras").verdict == "right"
    again = RandomAffine.from_config(RandomAffine(5.0, 0.2, flip=False, seed=4).get_config())
    np.testing.assert_array_equal(
        again(IMAGES, training=True),
        RandomAffine(5.0, 0.2, flip=False, seed=4)(IMAGES, training=True),
    )


def test_the_course_left_out_the_incomplete_batch():
    assert steps_per_epoch(50_000, 64, augment=True) == 781
    assert steps_per_epoch(50_000, 64, augment=False) is None
    assert steps_per_epoch(10, 64, augment=True) == 1
