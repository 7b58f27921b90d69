"""Boston's network in scikit-learn's `MLPRegressor`.

`fit` knows no validation rows of one's own, so that each epoch is a call of `partial_fit`, which
takes the rows once in a new order, and of `predict` on the test rows. There is no penalty. The
class trains on half the squared error, which Adam hardly notices.
"""

import time

import numpy as np
from sklearn.neural_network import MLPRegressor

from benchmarks.contenders import work

asked = work.asked()
start = time.perf_counter()
model = MLPRegressor(
    hidden_layer_sizes=(64, 32),
    alpha=0.0,
    batch_size=asked.batch_size,
    epsilon=1e-7,
    # A generator: from a number each call would draw the same order.
    random_state=np.random.RandomState(0),
)
for _ in range(asked.epochs):
    model.partial_fit(asked.x, asked.y)
    errors = model.predict(asked.x_test) - asked.y_test
    losses = np.square(errors).mean(), np.abs(errors).mean()
work.report(time.perf_counter() - start, val_loss=losses[0])
