"""Repeated trainings of an exercise's network, by plain Keras or through `compile_for_task`.

Arguments: ``nnloss`` or ``keras``, exercise, file of arrays, epochs, batch size, ``seeded`` or
``unseeded``, and the first and the last seed, or number of an unseeded fit. Each fit prints a
line of JSON with the training loss of the last epoch, and loss and accuracy on the test rows.
"""

import json
import sys

import numpy as np

from benchmarks.contenders import ours, plain_keras, work
from nnloss import set_seed

import keras  # isort: skip

by, exercise, path, seeding = sys.argv[1:5]
epochs, batch_size, first, last = map(int, sys.argv[5:])
arrays = np.load(path)
x, x_test, y = (arrays[name] for name in ("x_train", "x_test", "y_train"))
if by == "keras":  # our network divides images by 255 itself
    x, x_test = (work.as_floats(exercise, part) for part in (x, x_test))

for seed in range(first, last + 1):
    keras.utils.clear_session()
    if seeding == "seeded":
        (keras.utils.set_random_seed if by == "keras" else set_seed)(seed)
    model = (
        plain_keras.compiled(exercise) if by == "keras" else ours.compiled(exercise, y.shape[-1])
    )
    history = model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0).history
    # Once: validation after each epoch, in small batches, would take longer than the training.
    test = model.evaluate(x_test, arrays["y_test"], batch_size=1000, verbose=0, return_dict=True)
    values = {"val_loss": test["loss"], "val_accuracy": test.get("accuracy")}
    print(json.dumps({"seed": seed, "loss": history["loss"][-1], **values}), flush=True)
