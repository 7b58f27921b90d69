"""check_pairing on models as one meets them: right ones, wrong ones, and ones nobody can judge."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from nnloss._tensorflow import keras, tf  # isort: skip
from nnloss import check_pairing

layers, losses, ops, activations = keras.layers, keras.losses, keras.ops, keras.activations
Dense, Conv1D, Conv2D = layers.Dense, layers.Conv1D, layers.Conv2D
Activation, Softmax = layers.Activation, layers.Softmax
BCE, CCE = losses.BinaryCrossentropy, losses.CategoricalCrossentropy
SparseCCE = losses.SparseCategoricalCrossentropy

IMAGE, STEPS = (4, 4, 2), (5, 2)

# Targets of four rows.
REAL = np.array([0.3, -1.2, 22.5, 7.0])
BITS = np.array([0, 1, 1, 0])
LABELS = np.array([0, 1, 2, 1])
ONE_HOT = np.eye(3)[LABELS]
MULTI_HOT = np.array([[1, 1, 0], [0, 0, 0], [0, 1, 1], [1, 1, 1]])
SHARES = np.array([[0.2, 0.3, 0.5], [0.1, 0.9, 0.0], [0.6, 0.2, 0.2], [1.0, 0.0, 0.0]])
MASK = np.arange(64).reshape(4, 4, 4) % 2
CLASS_MAP = np.arange(64).reshape(4, 4, 4) % 3


def net(*ends, inputs=(8,), **options):
    """Chain layers from an input."""
    return keras.Sequential([keras.Input(inputs), *ends], **options)


def graph(build, *inputs, kind=keras.Model, **options):
    """Build a functional model from a function of its input tensors."""
    tensors = [keras.Input(shape) for shape in inputs or [(8,)]]
    return kind(tensors if len(tensors) > 1 else tensors[0], build(*tensors), **options)


def fit(model, loss, **options):
    """Compile with the loss, as for training."""
    model.compile(loss=loss, **options)
    return model, {}


def data(model, loss, y):
    """Compile with the loss, and check these targets too."""
    model.compile(loss=loss)
    return model, {"y": y}


def ask(model, loss, **more):
    """Leave the model as it is and ask about a loss."""
    return model, {"loss": loss, **more}


def logits_of(cls, **options):
    return cls(from_logits=True, **options)


def heads(**ends):
    """Several outputs in a list, each with the name of its layer."""
    return graph(lambda x: [end(x) for end in (layer(name) for name, layer in ends.items())])


def named(cls, *arguments, **options):
    return lambda name: cls(*arguments, name=name, **options)


def price_and_label(price=None, label="sigmoid"):
    """Give the price of a thing (a number) and its label (yes or no)."""
    return heads(price=named(Dense, 1, price), label=named(Dense, 1, label))


def as_dict(price=None, label="sigmoid"):
    return graph(lambda x: {"price": Dense(1, price)(x), "label": Dense(1, label)(x)})


def segmenter(*ends, channels=3):
    """Keep height and width; the ends follow a 3x3 convolution."""
    return net(Conv2D(channels, 3, padding="same"), *ends, inputs=IMAGE)


def autoencoder(activation):
    return net(Dense(2, "relu"), Dense(8, activation))


def crossed_names(price, label):
    """Give each output a layer that bears the other's name: the keys decide."""
    return graph(
        lambda x: {
            "price": Dense(1, price, name="label")(x),
            "label": Dense(1, label, name="price")(x),
        }
    )


def towers():
    """Two outputs that have the names of nested models."""
    tower = net(Dense(1, name="label"), name="price")
    other = net(Dense(1, "sigmoid", name="price"), name="label")
    return graph(lambda x: [tower(x), other(x)])


def matrix_factorisation(*ends):
    """Rate a user and an item by the dot product of their embeddings."""

    def build(user, item):
        vectors = [layers.Flatten()(layers.Embedding(9, 2)(index)) for index in (user, item)]
        rating = layers.Dot(axes=1)(vectors)
        for end in ends:
            rating = end(rating)
        return rating

    return graph(build, (1,), (1,))


def wide_and_deep(*ends):
    def build(wide, deep):
        x = layers.Add()([Dense(1)(wide), Dense(1)(Dense(4, "relu")(deep))])
        for end in ends:
            x = end(x)
        return x

    return graph(build, (8,), (3,))


def siamese(*ends):
    """Compare two inputs through one shared encoder."""
    encoder = net(Dense(4, "relu"), Dense(2))

    def build(left, right):
        return Dense(1, *ends)(ops.absolute(encoder(left) - encoder(right)))

    return graph(build, (8,), (8,))


def normalised(x):
    return x / ops.sum(x, axis=-1, keepdims=True)


def both(p):
    return layers.Concatenate()([1 - p, p])


def duelling(x):
    value, advantage = Dense(1)(x), Dense(3)(x)
    return value + advantage - ops.mean(advantage, axis=1, keepdims=True)


def attention(x):
    """Weigh the steps by a softmax; what comes out is a number of any size."""
    weights = Softmax(axis=1)(Dense(1)(x))
    return Dense(1)(ops.sum(weights * x, axis=1))


def experts(x):
    """Mix four linear experts by a softmax gate."""
    return layers.Dot(axes=1)([Dense(4, "softmax")(x), Dense(4)(x)])


def shared_head(activation):
    """Use one output layer on two inputs."""
    head = Dense(1, activation)
    return graph(lambda left, right: [head(left), head(right)], (8,), (8,))


def nested(*ends):
    """Put a sequential model in a functional one in a sequential one."""
    inner = net(*ends, inputs=(8,))
    return net(Dense(8, "relu"), graph(lambda x: inner(Dense(8, "relu")(x))))


def softmax_model():
    return net(Softmax(), inputs=(3,))


def reloaded(model):
    return type(model).from_config(model.get_config())


def half(cls, *arguments, **options):
    """Make a layer that computes in half precision."""
    return cls(*arguments, dtype="mixed_float16", **options)


def mobile_net(activation):
    return keras.applications.MobileNet(
        (32, 32, 3), alpha=0.25, weights=None, classes=3, classifier_activation=activation
    )


class OnlyInit(keras.Model):
    """A subclass that is a functional model in all but name."""

    def __init__(self, end):
        inputs = keras.Input((8,))
        super().__init__(inputs=inputs, outputs=end(Dense(4, "relu")(inputs)))

    def labels(self, x):
        return self.predict(x).argmax(axis=-1)


class OwnCall(keras.Model):
    def __init__(self, end):
        super().__init__()
        self.end = end

    def call(self, inputs):
        return self.end(inputs)


class OwnTrainStep(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


class OwnComputeLoss(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y - ops.log(y_pred)))


class OwnLayer(layers.Layer):
    def call(self, inputs):
        return inputs


class OwnDense(Dense):
    def call(self, inputs):
        return ops.softmax(super().call(inputs))


# A user's class may have the name of one of Keras'.
OwnSoftmax = type("Softmax", (layers.Layer,), {"call": lambda self, inputs: inputs / 2})


class OwnBCE(BCE):
    def call(self, y_true, y_pred):
        return super().call(y_true, ops.sigmoid(y_pred))


class OwnLoss(losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


def own_loss(y_true, y_pred):
    return ops.mean(ops.square(y_true - ops.sigmoid(y_pred)), axis=-1)


def own_activation(x):
    return x * ops.sigmoid(x)


def softmax(x):
    """Not Keras' function of this name."""
    return ops.relu(x)


def mean_squared_error(y_true, y_pred):
    """Not Keras' function of this name."""
    return ops.mean(ops.square(y_true - ops.exp(y_pred)), axis=-1)


RIGHT = {
    # Regression: how a linear head and its losses are written.
    "linear, mse": lambda: fit(net(Dense(1)), "mse"),
    "linear by None, MSE": lambda: fit(net(Dense(1, activation=None)), "MSE"),
    "linear by name, mae": lambda: fit(net(Dense(1, "linear")), "mae"),
    "linear function, MAE": lambda: fit(net(Dense(1, activations.linear)), "MAE"),
    "Activation linear, function": lambda: fit(
        net(Dense(1), Activation("linear")), losses.mean_squared_error
    ),
    "linear, long name": lambda: fit(net(Dense(1)), "mean_absolute_error"),
    "linear, class name": lambda: ask(net(Dense(1)), "MeanSquaredError"),
    "linear, class": lambda: fit(net(Dense(1)), losses.MeanSquaredError),
    "linear, reduction sum": lambda: fit(net(Dense(1)), losses.MeanSquaredError(reduction="sum")),
    "linear, reduction none": lambda: ask(
        net(Dense(1)), losses.MeanAbsoluteError(reduction="none")
    ),
    "linear, loss of another name": lambda: fit(
        net(Dense(1)), losses.MeanSquaredError(name="binary_crossentropy")
    ),
    "linear, Huber": lambda: fit(net(Dense(1)), losses.Huber(delta=2.0)),
    "linear, huber by name": lambda: fit(net(Dense(1)), "huber"),
    "linear, LogCosh": lambda: fit(net(Dense(1)), losses.LogCosh()),
    "three targets": lambda: data(net(Dense(3)), "mse", ONE_HOT - 0.7),
    "layer named softmax": lambda: fit(net(Dense(1, name="softmax"), name="sigmoid"), "mse"),
    "regularised head": lambda: fit(
        net(Dense(1, kernel_regularizer="l2", activity_regularizer="l2", use_bias=False)), "mse"
    ),
    "Identity after the head": lambda: fit(net(Dense(1), layers.Identity()), "mse"),
    "Reshape after the head": lambda: fit(net(Dense(6), layers.Reshape((3, 2))), "mae"),
    "causal convolution": lambda: fit(
        net(Conv1D(4, 2, padding="causal", activation="relu"), Conv1D(1, 1), inputs=STEPS), "mse"
    ),
    "convolution, Flatten": lambda: fit(net(Conv1D(1, 5), layers.Flatten(), inputs=STEPS), "mse"),
    "pooled linear maps": lambda: fit(
        net(Conv2D(1, 3), layers.GlobalAveragePooling2D(), inputs=IMAGE), "mse"
    ),
    "super-resolution": lambda: fit(
        net(Conv2D(2, 3, padding="same"), layers.UpSampling2D(), inputs=IMAGE), "mae"
    ),
    "Rescaling to the target's unit": lambda: fit(
        net(Dense(1), layers.Rescaling(9.2, offset=22.5)), "mse"
    ),
    "arithmetic to the target's unit": lambda: fit(
        graph(lambda x: Dense(1)(x) * 9.2 + 22.5), "mse"
    ),
    "squeezed": lambda: data(graph(lambda x: ops.squeeze(Dense(1)(x), -1)), "mse", REAL),
    "indexed": lambda: data(graph(lambda x: Dense(1)(x)[:, 0]), "mae", REAL),
    "sum of two heads": lambda: fit(
        graph(lambda x: layers.Add()([Dense(1)(x), Dense(1)(Dense(4, "relu")(x))])), "mse"
    ),
    "forecast of the change": lambda: fit(
        graph(lambda x: x[:, -1, :1] + Dense(1)(layers.LSTM(3)(x)), STEPS), "mse"
    ),
    "heads side by side": lambda: fit(
        graph(lambda x: layers.Concatenate()([Dense(1)(x), Dense(2)(x)])), "mse"
    ),
    "quantity from three models": lambda: fit(
        graph(lambda x: layers.Average()([net(Dense(1))(x) for _ in range(3)])), "mse"
    ),
    "matrix factorisation": lambda: fit(matrix_factorisation(), "mse"),
    "factorisation by sum of products": lambda: fit(
        graph(lambda u, v: ops.sum(Dense(2)(u) * Dense(2)(v), axis=-1, keepdims=True), (8,), (8,)),
        "mse",
    ),
    "wide and deep": lambda: fit(wide_and_deep(), "mse"),
    "duelling Q values": lambda: fit(graph(duelling), losses.Huber()),
    "Q values under a mask": lambda: fit(
        graph(lambda x, mask: layers.Multiply()([Dense(3)(x), mask]), (8,), (3,)), "mse"
    ),
    "softmax inside: attention": lambda: fit(graph(attention, STEPS), "mse"),
    "softmax inside: mixed experts": lambda: fit(graph(experts), "mse"),
    "sigmoid inside: autoencoder": lambda: fit(net(Dense(2, "sigmoid"), Dense(8)), "mse"),
    "SpectralNormalization": lambda: fit(net(layers.SpectralNormalization(Dense(1))), "mse"),
    "half precision, linear": lambda: fit(
        net(half(Dense, 1), Activation("linear", dtype="float32")), "mse"
    ),
    "Lambda inside": lambda: fit(net(layers.Lambda(lambda x: x / 255), Dense(1)), "mse"),
    "own layer inside": lambda: fit(net(OwnLayer(), Dense(1)), "mse"),
    "own activation inside": lambda: fit(net(Dense(4, own_activation), Dense(1)), "mse"),
    # Two classes: a sigmoid, in the model or in the loss.
    "sigmoid, bce": lambda: fit(net(Dense(1, "sigmoid")), "bce"),
    "sigmoid, BCE": lambda: fit(net(Dense(1, activations.sigmoid)), "BCE"),
    "sigmoid of tf.nn": lambda: fit(net(Dense(1, tf.nn.sigmoid)), "binary_crossentropy"),
    "sigmoid of keras.ops": lambda: fit(net(Dense(1, ops.sigmoid)), losses.binary_crossentropy),
    "Activation sigmoid": lambda: fit(net(Dense(1), Activation("sigmoid")), BCE()),
    "Activation as activation": lambda: fit(net(Dense(1, Activation("sigmoid"))), BCE()),
    "sigmoid as operation": lambda: fit(graph(lambda x: ops.sigmoid(Dense(1)(x))), BCE()),
    "sigmoid called": lambda: fit(graph(lambda x: activations.sigmoid(Dense(1)(x))), BCE()),
    "label smoothing": lambda: fit(net(Dense(1, "sigmoid")), BCE(label_smoothing=0.1)),
    "binary focal": lambda: fit(net(Dense(1, "sigmoid")), losses.BinaryFocalCrossentropy()),
    "binary focal logits": lambda: fit(
        net(Dense(1)), logits_of(losses.BinaryFocalCrossentropy, gamma=3.0)
    ),
    "binary logits": lambda: fit(net(Dense(1)), logits_of(BCE)),
    "binary logits, layer named softmax": lambda: fit(
        net(Dense(1, name="softmax")), logits_of(BCE, reduction="sum")
    ),
    "logits of a dot product": lambda: fit(matrix_factorisation(), logits_of(BCE)),
    "sigmoid of a dot product": lambda: fit(matrix_factorisation(Activation("sigmoid")), "bce"),
    "sigmoid of a sum": lambda: fit(wide_and_deep(Activation("sigmoid")), "bce"),
    "siamese": lambda: fit(siamese("sigmoid"), "bce"),
    "multi-label": lambda: data(net(Dense(3, "sigmoid")), "bce", MULTI_HOT),
    "multi-label logits": lambda: data(net(Dense(3)), logits_of(BCE), MULTI_HOT),
    "labels side by side": lambda: fit(
        graph(lambda x: layers.Concatenate()([Dense(1, "sigmoid")(x) for _ in range(3)])), "bce"
    ),
    "mean of sigmoids": lambda: fit(
        graph(lambda x: layers.Average()([Dense(1, "sigmoid")(x) for _ in range(3)])), "bce"
    ),
    "adversarial pair": lambda: fit(
        net(net(Dense(4)), net(Dense(1, "sigmoid"), inputs=(4,), trainable=False)), "bce"
    ),
    "autoencoder of pixels": lambda: fit(autoencoder("sigmoid"), "bce"),
    "binary segmentation": lambda: fit(segmenter(Conv2D(1, 1, activation="sigmoid")), "bce"),
    "binary segmentation, logits, map": lambda: data(
        segmenter(channels=1), logits_of(BCE), MASK[..., None]
    ),
    "sigmoid at each step": lambda: fit(
        net(layers.LSTM(3, return_sequences=True), Dense(1, "sigmoid"), inputs=STEPS), "bce"
    ),
    # Classes: a softmax, in the model or in the loss.
    "softmax, CCE by name": lambda: fit(net(Dense(3, "softmax")), "categorical_crossentropy"),
    "softmax function, CCE": lambda: fit(net(Dense(3, activations.softmax)), CCE()),
    "softmax of tf.nn": lambda: fit(net(Dense(3, tf.nn.softmax)), CCE()),
    "softmax of keras.ops": lambda: fit(net(Dense(3, ops.softmax)), CCE(reduction="sum")),
    "Softmax as activation": lambda: fit(net(Dense(3, Softmax())), CCE()),
    "Softmax layer": lambda: fit(net(Dense(3), Softmax()), losses.categorical_crossentropy),
    "Softmax over the last axis": lambda: fit(net(Dense(3), Softmax(axis=1)), CCE()),
    "Activation softmax": lambda: fit(net(Dense(3), Activation("softmax")), CCE()),
    "Activation of a function": lambda: fit(net(Dense(3), Activation(activations.softmax)), CCE()),
    "softmax as operation": lambda: fit(graph(lambda x: ops.softmax(Dense(3)(x))), CCE()),
    "softmax called": lambda: fit(graph(lambda x: activations.softmax(Dense(3)(x))), CCE()),
    "softmax, linear": lambda: fit(net(Dense(3, "softmax"), Activation("linear")), CCE()),
    "softmax, ActivityRegularization": lambda: fit(
        net(Dense(3, "softmax"), layers.ActivityRegularization(l2=0.01)), CCE()
    ),
    "softmax of two": lambda: data(
        net(Dense(2, "softmax")), "categorical_crossentropy", np.eye(2)[BITS]
    ),
    "softmax, label smoothing": lambda: fit(net(Dense(3, "softmax")), CCE(label_smoothing=0.1)),
    "softmax, sparse": lambda: fit(net(Dense(3, "softmax")), "sparse_categorical_crossentropy"),
    "softmax, sparse of two": lambda: data(net(Dense(2, "softmax")), SparseCCE(), BITS),
    "softmax, categorical focal": lambda: fit(
        net(Dense(3, "softmax")), losses.CategoricalFocalCrossentropy()
    ),
    "softmax, KL of shares": lambda: data(net(Dense(3, "softmax")), "kl_divergence", SHARES),
    "softmax, kld": lambda: fit(net(Dense(3, "softmax")), "kld"),
    "class logits": lambda: fit(net(Dense(3)), logits_of(CCE)),
    "class logits, sparse": lambda: fit(net(Dense(3)), logits_of(SparseCCE)),
    "class logits by name": lambda: fit(
        net(Dense(3, "linear", name="softmax")), logits_of(SparseCCE, reduction="sum")
    ),
    "log-softmax, logits": lambda: fit(net(Dense(3, "log_softmax")), logits_of(CCE)),
    "log-softmax, sparse logits": lambda: fit(
        graph(lambda x: ops.log_softmax(Dense(3)(x))), logits_of(SparseCCE)
    ),
    "BatchNormalization before Softmax": lambda: fit(
        net(Dense(3), layers.BatchNormalization(), Softmax()), CCE()
    ),
    "Dropout before the head": lambda: fit(
        net(Dense(4, "relu"), layers.Dropout(0.5), Dense(3, "softmax")), CCE()
    ),
    "temperature": lambda: fit(graph(lambda x: ops.softmax(Dense(3)(x) / 2.5)), CCE()),
    "scaled cosine": lambda: fit(
        net(
            layers.UnitNormalization(),
            Dense(3, use_bias=False, kernel_constraint="unit_norm"),
            layers.Rescaling(30.0),
            Softmax(),
        ),
        SparseCCE(),
    ),
    "mean of softmaxes": lambda: fit(
        graph(lambda x: layers.Average()([net(Dense(3, "softmax"))(x) for _ in range(3)])), CCE()
    ),
    "softmax of mean logits": lambda: fit(
        graph(lambda x: Softmax()(layers.Average()([Dense(3)(x), Dense(3)(x)]))), CCE()
    ),
    "mean logits": lambda: fit(
        graph(lambda x: layers.Average()([Dense(3)(x), Dense(3)(x)])), logits_of(CCE)
    ),
    "nested, softmax": lambda: fit(nested(Dense(3, "softmax")), CCE()),
    "nested, logits": lambda: fit(nested(Dense(3)), logits_of(CCE)),
    "nested Softmax after logits": lambda: fit(net(net(Dense(3)), softmax_model()), CCE()),
    "subclass of only init": lambda: fit(OnlyInit(Dense(3, "softmax")), SparseCCE()),
    "from a configuration": lambda: fit(reloaded(net(Dense(3, "softmax"))), CCE()),
    "clone": lambda: ask(keras.models.clone_model(net(Dense(3), Softmax())), CCE()),
    "MobileNet": lambda: fit(mobile_net("softmax"), CCE()),
    "MobileNet logits": lambda: ask(mobile_net(None), logits_of(SparseCCE)),
    "half precision, softmax": lambda: fit(
        net(half(Dense, 3), Activation("softmax", dtype="float32")), CCE()
    ),
    "softmax, cast": lambda: fit(
        graph(lambda x: ops.cast(half(Dense, 3, activation="softmax")(x), "float32")), CCE()
    ),
    "several inputs": lambda: fit(
        graph(lambda a, b: Dense(3, "softmax")(layers.Concatenate()([a, b])), (8,), (2,)), CCE()
    ),
    "squeeze and excitation": lambda: fit(
        graph(lambda x: Dense(3, "softmax")(x * Dense(8, "sigmoid")(x))), CCE()
    ),
    # Softmaxes over axes.
    "convolution, pooling, softmax": lambda: fit(
        net(Conv2D(3, 3), layers.GlobalAveragePooling2D(), Activation("softmax"), inputs=IMAGE),
        CCE(),
    ),
    "convolution, max pooling, logits": lambda: fit(
        net(Conv2D(3, 3), layers.GlobalMaxPooling2D(), inputs=IMAGE), logits_of(SparseCCE)
    ),
    "convolution to one place, Flatten": lambda: fit(
        net(Conv2D(3, 4, activation="softmax"), layers.Flatten(), inputs=IMAGE), CCE()
    ),
    "softmax at each step": lambda: fit(
        net(layers.TimeDistributed(Dense(3, "softmax")), inputs=STEPS), CCE()
    ),
    "Softmax layer at each step": lambda: fit(
        net(layers.TimeDistributed(Dense(3)), layers.TimeDistributed(Softmax()), inputs=STEPS),
        SparseCCE(),
    ),
    "model at each step": lambda: fit(
        net(layers.TimeDistributed(net(Dense(3, "softmax"), inputs=(2,))), inputs=STEPS), CCE()
    ),
    "next token": lambda: fit(
        net(layers.Embedding(9, 4), layers.GRU(4, return_sequences=True), Dense(9), inputs=(5,)),
        logits_of(SparseCCE),
    ),
    "EinsumDense": lambda: fit(
        net(layers.EinsumDense("btf,fc->btc", (5, 3), activation="softmax"), inputs=STEPS), CCE()
    ),
    "segmentation": lambda: fit(segmenter(Conv2D(3, 1, activation="softmax")), SparseCCE()),
    "segmentation, Softmax layer": lambda: fit(segmenter(Softmax(axis=3)), CCE()),
    "segmentation, transposed": lambda: fit(
        segmenter(layers.Conv2DTranspose(3, 2, strides=2, activation="softmax")), CCE()
    ),
    "segmentation, then larger": lambda: fit(
        segmenter(Softmax(), layers.UpSampling2D(2, interpolation="bilinear")), CCE()
    ),
    "segmentation, repeated": lambda: fit(segmenter(Softmax(), layers.UpSampling2D()), SparseCCE()),
    "segmentation, cropped": lambda: fit(segmenter(Softmax(), layers.Cropping2D(1)), CCE()),
    "segmentation, list of pixels": lambda: fit(
        segmenter(layers.Reshape((16, 3)), Softmax()), CCE()
    ),
    "segmentation, pixels listed later": lambda: fit(
        segmenter(Softmax(), layers.Reshape((-1, 3))), CCE()
    ),
    "channels first": lambda: fit(
        net(Conv2D(3, 1, data_format="channels_first"), Softmax(axis=1), inputs=(2, 4, 4)),
        CCE(axis=1),
    ),
    "channels first, negative axis": lambda: fit(
        segmenter(layers.Permute((3, 1, 2)), Softmax(axis=-3)), CCE(axis=1)
    ),
    "channels first, logits": lambda: fit(
        segmenter(layers.Permute((3, 1, 2))), logits_of(CCE, axis=1)
    ),
    "channels moved first later": lambda: fit(
        segmenter(Softmax(), layers.Permute((3, 1, 2))), CCE(axis=1)
    ),
    "two answers in rows": lambda: fit(net(Dense(6), layers.Reshape((2, 3)), Softmax()), CCE()),
    "place in a map": lambda: fit(segmenter(layers.Flatten(), Softmax(), channels=1), SparseCCE()),
    "place in a map, two axes": lambda: fit(
        segmenter(Softmax(axis=(1, 2)), layers.Flatten(), channels=1), CCE()
    ),
    # Counts, and several quantities.
    "exponential, poisson": lambda: fit(net(Dense(1, "exponential")), "poisson"),
    "exp of keras.ops, Poisson": lambda: fit(
        graph(lambda x: ops.exp(Dense(1)(x))), losses.Poisson()
    ),
    "exponential, poisson, counts": lambda: data(
        net(Dense(1, "exponential")), "poisson", np.array([0, 3, 1, 7])
    ),
    "linear, mape": lambda: fit(net(Dense(1)), "mape"),
    "linear, MAPE class": lambda: fit(net(Dense(1)), losses.MeanAbsolutePercentageError()),
    "softmax, focal of soft labels": lambda: data(
        net(Dense(3, "softmax")), losses.CategoricalFocalCrossentropy(), SHARES
    ),
    "sigmoid, soft labels 0.05 and 0.95": lambda: data(
        net(Dense(1, "sigmoid")), "bce", np.array([0.05, 0.95, 0.95, 0.05])
    ),
    "sigmoid, accuracy": lambda: fit(net(Dense(1, "sigmoid")), "bce", metrics=["accuracy", "AUC"]),
    "logits, accuracy from 0": lambda: fit(
        net(Dense(1)),
        logits_of(BCE),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0), keras.metrics.AUC(from_logits=True)],
    ),
    "class logits, accuracy": lambda: fit(net(Dense(3)), logits_of(CCE), metrics=["accuracy"]),
    "labels, accuracy": lambda: fit(net(Dense(3, "softmax")), SparseCCE(), metrics=["acc"]),
    "labels, top k": lambda: fit(
        net(Dense(9, "softmax")), SparseCCE(), metrics=["sparse_top_k_categorical_accuracy"]
    ),
    "metrics by output": lambda: fit(
        price_and_label(), ["mse", "bce"], metrics=[["mae"], ["accuracy"]]
    ),
    "weighted metrics": lambda: fit(net(Dense(1)), "mse", weighted_metrics=["mae"]),
    # Several outputs.
    "two outputs, list": lambda: fit(price_and_label(), ["mse", BCE()], loss_weights=[1.0, 0.5]),
    "two outputs, names": lambda: fit(price_and_label(), {"label": "bce", "price": "mae"}),
    "outputs by name": lambda: fit(as_dict(), {"label": BCE(), "price": "mse"}),
    "outputs by name, asked": lambda: ask(as_dict(), {"label": "bce", "price": "mse"}),
    "outputs by name, y": lambda: data(
        as_dict(), {"price": "mse", "label": "bce"}, {"price": REAL, "label": BITS}
    ),
    "two outputs, list of y": lambda: data(price_and_label(), ["mse", "bce"], [REAL, BITS]),
    # Keras goes through outputs by name in the order of the alphabet: the label is the first.
    "outputs by name, list": lambda: fit(as_dict(), ["bce", "mse"]),
    "outputs by name, list of y": lambda: data(
        as_dict(), {"price": "mse", "label": "bce"}, [BITS, REAL]
    ),
    "outputs by name, one without loss": lambda: fit(as_dict(label="relu"), {"price": "mse"}),
    "names crossed": lambda: fit(crossed_names(None, "sigmoid"), {"price": "mse", "label": "bce"}),
    "names of nested models": lambda: fit(towers(), {"label": "bce", "price": "mse"}),
    "one loss for all": lambda: fit(price_and_label(None, None), "mse"),
    "one loss object for all": lambda: fit(price_and_label("sigmoid"), BCE()),
    "output without loss": lambda: fit(
        heads(label=named(Dense, 1, "sigmoid"), features=named(Dense, 4, "relu")), ["bce", None]
    ),
    "name without loss": lambda: fit(
        price_and_label(label="tanh"), {"price": "mse", "label": None}
    ),
    "three kinds": lambda: fit(
        heads(price=named(Dense, 1), label=named(Dense, 1), kind=named(Dense, 3, "softmax")),
        {"price": "mse", "label": logits_of(BCE), "kind": "sparse_categorical_crossentropy"},
    ),
    "box and class": lambda: fit(
        heads(box=named(Dense, 4), kind=named(Dense, 3, "softmax")),
        {"box": losses.Huber(), "kind": CCE()},
    ),
    "deep supervision": lambda: fit(
        graph(lambda x: [Conv2D(1, 1, activation="sigmoid")(x) for _ in range(3)], IMAGE),
        ["bce"] * 3,
        loss_weights=[1.0, 0.5, 0.25],
    ),
    "probability and features": lambda: fit(
        graph(lambda x: [Dense(3, "softmax")(x), Dense(8)(Dense(2)(x))]), [CCE(), "mse"]
    ),
    "shared head twice": lambda: fit(shared_head("sigmoid"), ["bce", "bce"]),
    # A loss that is asked about, and targets.
    "asked, not compiled": lambda: ask(net(Dense(3, "softmax")), "categorical_crossentropy"),
    "asked, compiled otherwise": lambda: ask(fit(net(Dense(1)), "bce")[0], logits_of(BCE)),
    "y (N,)": lambda: data(net(Dense(1)), "mse", REAL),
    "y (N, 1)": lambda: data(net(Dense(1)), "mse", REAL[:, None]),
    "y of whole numbers": lambda: data(net(Dense(1)), "mse", np.array([1, 5, 3, 2])),
    "y of one value": lambda: data(net(Dense(1)), "mae", np.zeros(4)),
    "y as a Series": lambda: data(net(Dense(1)), "mse", pd.Series(REAL, index=[3, 1, 7, 5])),
    "y bits": lambda: data(net(Dense(1, "sigmoid")), "bce", BITS),
    "y bits as bool": lambda: data(net(Dense(1, "sigmoid")), "bce", BITS.astype(bool)),
    "y bits as float": lambda: ask(
        net(Dense(1)), logits_of(BCE), y=BITS[:, None].astype("float32")
    ),
    "y of one class": lambda: data(net(Dense(1, "sigmoid")), "bce", np.zeros(4)),
    "y one-hot": lambda: data(net(Dense(3, "softmax")), CCE(), ONE_HOT),
    "y one-hot as bool": lambda: data(net(Dense(3, "softmax")), CCE(), ONE_HOT.astype(bool)),
    "y labels": lambda: data(net(Dense(3, "softmax")), SparseCCE(), LABELS),
    "y labels as uint8": lambda: data(net(Dense(3)), logits_of(SparseCCE), LABELS.astype("uint8")),
    "y labels as float": lambda: data(
        net(Dense(3, "softmax")), SparseCCE(), LABELS[:, None].astype("float32")
    ),
    "y labels, one missing": lambda: data(net(Dense(5, "softmax")), SparseCCE(), LABELS),
    "y of steps": lambda: data(net(Dense(1), inputs=STEPS), "mse", np.ones((4, 5))),
    "y of a class map": lambda: data(segmenter(Softmax()), SparseCCE(), CLASS_MAP),
    "y of a class map with channel": lambda: data(
        segmenter(Softmax()), SparseCCE(), CLASS_MAP[..., None]
    ),
    "y of one-hot maps": lambda: data(segmenter(Softmax()), CCE(), np.eye(3)[CLASS_MAP]),
    "y of one-hot maps, channels first": lambda: data(
        segmenter(layers.Permute((3, 1, 2)), Softmax(axis=1)),
        CCE(axis=1),
        np.moveaxis(np.eye(3)[CLASS_MAP], -1, 1),
    ),
    "y with a class to ignore": lambda: data(
        segmenter(Softmax()), SparseCCE(ignore_class=255), np.where(CLASS_MAP, CLASS_MAP, 255)
    ),
}

WRONG = {
    # Twice the same.
    "softmax, CCE of logits": lambda: fit(net(Dense(3, "softmax")), logits_of(CCE)),
    "softmax, sparse of logits": lambda: fit(net(Dense(3, "softmax")), logits_of(SparseCCE)),
    "Softmax layer, CCE of logits": lambda: fit(net(Dense(3), Softmax()), logits_of(CCE)),
    "softmax operation, CCE of logits": lambda: fit(
        graph(lambda x: ops.softmax(Dense(3)(x))), logits_of(CCE)
    ),
    "softmax of tf.nn, sparse of logits": lambda: fit(
        net(Dense(3, tf.nn.softmax)), logits_of(SparseCCE)
    ),
    "Softmax as activation, logits": lambda: fit(net(Dense(3, Softmax())), logits_of(CCE)),
    "sigmoid, BCE of logits": lambda: fit(net(Dense(1, "sigmoid")), logits_of(BCE)),
    "Activation sigmoid, BCE of logits": lambda: fit(
        net(Dense(1), Activation("sigmoid")), logits_of(BCE, reduction="sum")
    ),
    "sigmoid, focal of logits": lambda: fit(
        net(Dense(1, "sigmoid")), logits_of(losses.BinaryFocalCrossentropy)
    ),
    "softmax, Softmax": lambda: fit(net(Dense(3, "softmax"), Softmax()), CCE()),
    "softmax, Activation": lambda: fit(net(Dense(3, "softmax"), Activation("softmax")), CCE()),
    "softmax, operation": lambda: fit(graph(lambda x: ops.softmax(Dense(3, "softmax")(x))), CCE()),
    "softmax, Dropout, Softmax": lambda: fit(
        net(Dense(3, "softmax"), layers.Dropout(0.5), Softmax()), CCE()
    ),
    "softmax, Flatten, Softmax": lambda: fit(
        net(Conv2D(3, 4, activation="softmax"), layers.Flatten(), Softmax(), inputs=IMAGE), CCE()
    ),
    "sigmoid, sigmoid": lambda: fit(net(Dense(1, "sigmoid"), Activation("sigmoid")), "bce"),
    "softmax in a nested model": lambda: fit(net(net(Dense(3, "softmax")), softmax_model()), CCE()),
    "softmax in nested models, logits": lambda: fit(nested(Dense(3, "softmax")), logits_of(CCE)),
    "softmax in a graph in a graph": lambda: fit(
        graph(lambda x: softmax_model()(graph(Dense(3, "softmax"))(x))), SparseCCE()
    ),
    "subclass of only init, logits": lambda: fit(
        OnlyInit(Dense(3, "softmax")), logits_of(SparseCCE)
    ),
    "from a configuration, double": lambda: fit(
        reloaded(net(Dense(3, "softmax"), Softmax())), CCE()
    ),
    "MobileNet of logits": lambda: fit(mobile_net("softmax"), logits_of(CCE)),
    "half precision, double softmax": lambda: fit(
        net(half(Dense, 3, activation="softmax"), Activation("softmax", dtype="float32")), CCE()
    ),
    "double softmax in a map": lambda: fit(
        segmenter(Conv2D(3, 1, activation="softmax"), Softmax()), SparseCCE()
    ),
    "double softmax at each step": lambda: fit(
        net(layers.TimeDistributed(Dense(3, "softmax")), Softmax(), inputs=STEPS), CCE()
    ),
    "softmax of mean probabilities": lambda: fit(
        graph(
            lambda x: Softmax()(layers.Average()([Dense(3, "softmax")(x), Dense(3, "softmax")(x)]))
        ),
        CCE(),
    ),
    "mean of softmaxes, logits": lambda: fit(
        graph(lambda x: layers.Average()([Dense(3, "softmax")(x), Dense(3, "softmax")(x)])),
        logits_of(CCE),
    ),
    "log-softmax, CCE": lambda: fit(net(Dense(3, "log_softmax")), CCE()),
    # Logits where probabilities are due.
    "linear, CCE": lambda: fit(net(Dense(3)), "categorical_crossentropy"),
    "linear, sparse": lambda: fit(net(Dense(3)), SparseCCE()),
    "linear, BCE": lambda: fit(net(Dense(1)), "bce"),
    "linear, BCE function": lambda: fit(net(Dense(1)), losses.binary_crossentropy),
    "linear, BCE class": lambda: fit(net(Dense(1)), BCE),
    "linear, focal": lambda: fit(net(Dense(1)), "binary_focal_crossentropy"),
    "linear, KL": lambda: fit(net(Dense(3)), "kld"),
    "linear multi-label, BCE": lambda: fit(net(Dense(3)), "BCE"),
    "linear named sigmoid, BCE": lambda: fit(net(Dense(1, name="sigmoid")), BCE()),
    "linear named softmax, CCE": lambda: fit(net(Dense(3, name="softmax"), name="softmax"), CCE()),
    "Activation linear, CCE": lambda: fit(net(Dense(3), Activation("linear")), CCE()),
    "softmax before the head": lambda: fit(net(Dense(4, "softmax"), Dense(3)), CCE()),
    "attention, BCE": lambda: fit(graph(attention, STEPS), "bce"),
    "dot product, BCE": lambda: fit(matrix_factorisation(), "bce"),
    "sum of linear heads, BCE": lambda: fit(wide_and_deep(), "bce"),
    "mean of logits, CCE": lambda: fit(
        graph(lambda x: layers.Average()([Dense(3)(x), Dense(3)(x)])), CCE()
    ),
    "siamese of logits, BCE": lambda: fit(siamese(), BCE()),
    "linear map, BCE": lambda: fit(segmenter(Conv2D(1, 1)), "bce"),
    "linear map, sparse": lambda: fit(segmenter(), SparseCCE()),
    "pooled linear maps, CCE": lambda: fit(
        net(Conv2D(3, 3), layers.GlobalAveragePooling2D(), inputs=IMAGE), CCE()
    ),
    "next token, logits forgotten": lambda: fit(
        net(layers.Embedding(9, 4), Dense(9), inputs=(5,)), "sparse_categorical_crossentropy"
    ),
    "BatchNormalization, CCE": lambda: fit(net(Dense(3), layers.BatchNormalization()), CCE()),
    "MobileNet of logits forgotten": lambda: ask(mobile_net(None), CCE()),
    # Probabilities of the other kind.
    "sigmoids, CCE": lambda: fit(net(Dense(3, "sigmoid")), "categorical_crossentropy"),
    "sigmoids, sparse": lambda: fit(net(Dense(3, "sigmoid")), SparseCCE()),
    "sigmoids, CCE of logits": lambda: fit(net(Dense(3, "sigmoid")), logits_of(CCE)),
    "sigmoid maps, CCE": lambda: fit(segmenter(Conv2D(3, 1, activation="sigmoid")), CCE()),
    "sigmoid of one, CCE": lambda: fit(net(Dense(1, "sigmoid")), "categorical_crossentropy"),
    "sigmoid of one, sparse": lambda: fit(net(Dense(1, "sigmoid")), SparseCCE()),
    "linear of one, sparse of logits": lambda: fit(net(Dense(1)), logits_of(SparseCCE)),
    "softmax of one, BCE": lambda: fit(net(Dense(1, "softmax")), "bce"),
    "Softmax layer of one, BCE": lambda: fit(net(Dense(1), Softmax()), BCE()),
    "softmax of one, CCE": lambda: fit(net(Dense(1, "softmax")), CCE()),
    "softmax of one, sparse": lambda: fit(net(Dense(1, "softmax")), SparseCCE()),
    "softmax of one map, BCE": lambda: fit(segmenter(Conv2D(1, 1, activation="softmax")), "bce"),
    "softmax of two, BCE": lambda: fit(net(Dense(2, "softmax")), "bce"),
    "softmax of three, BCE": lambda: fit(net(Dense(3), Softmax()), BCE()),
    "softmax, BCE of logits": lambda: fit(net(Dense(3, "softmax")), logits_of(BCE)),
    "softmaxes side by side, CCE": lambda: fit(
        graph(lambda x: layers.Concatenate()([Dense(3, "softmax")(x), Dense(3, "softmax")(x)])),
        CCE(),
    ),
    "sum of sigmoids, BCE": lambda: fit(
        graph(lambda x: layers.Add()([Dense(1, "sigmoid")(x), Dense(1, "sigmoid")(x)])), "bce"
    ),
    # Squashed or cut numbers.
    "relu, mse": lambda: fit(net(Dense(1, "relu")), "mse"),
    "relu function, mae": lambda: fit(net(Dense(1, activations.relu)), "mae"),
    "relu of tf.nn, MSE": lambda: fit(net(Dense(1, tf.nn.relu)), "MSE"),
    "ReLU layer, mse": lambda: fit(net(Dense(1), layers.ReLU()), losses.MeanSquaredError()),
    "ReLU as activation, mse": lambda: fit(net(Dense(1, layers.ReLU())), "mse"),
    "Activation relu, mae": lambda: fit(
        net(Dense(1), Activation("relu")), losses.mean_absolute_error
    ),
    "relu operation, mse": lambda: fit(graph(lambda x: ops.relu(Dense(1)(x))), "mse"),
    "LeakyReLU, mse": lambda: fit(net(Dense(1), layers.LeakyReLU()), "mse"),
    "sigmoid, mse": lambda: fit(net(Dense(1, "sigmoid")), "mse"),
    "sigmoid, mae": lambda: fit(net(Dense(1), Activation("sigmoid")), "mean_absolute_error"),
    "tanh, mse": lambda: fit(net(Dense(1, "tanh")), "mse"),
    "softmax, mse": lambda: fit(net(Dense(3, "softmax")), "mse"),
    "Softmax layer, MAE": lambda: fit(net(Dense(3), Softmax()), losses.MeanAbsoluteError()),
    "softmax of one, mse": lambda: fit(net(Dense(1, "softmax")), "mse"),
    "relu, bce": lambda: fit(net(Dense(1, "relu")), "bce"),
    "tanh, bce": lambda: fit(net(Dense(1, "tanh")), "bce"),
    "relu, CCE": lambda: fit(net(Dense(3, "relu")), CCE()),
    "tanh, sparse": lambda: fit(net(Dense(3, "tanh")), SparseCCE()),
    "relu, BCE of logits": lambda: fit(net(Dense(1, "relu")), logits_of(BCE)),
    "ReLU layer, BCE of logits": lambda: fit(net(Dense(1), layers.ReLU()), logits_of(BCE)),
    "hard sigmoid, bce": lambda: fit(net(Dense(1, "hard_sigmoid")), "bce"),
    "log-sigmoid, BCE of logits": lambda: fit(net(Dense(1, "log_sigmoid")), logits_of(BCE)),
    "softplus, bce": lambda: fit(net(Dense(1, "softplus")), "bce"),
    "nested, relu, mse": lambda: fit(nested(Dense(1), layers.ReLU()), "mse"),
    "subclass of only init, relu": lambda: fit(OnlyInit(Dense(1, "relu")), "mse"),
    "half precision, relu": lambda: fit(
        net(half(Dense, 1, activation="relu"), Activation("linear", dtype="float32")), "mse"
    ),
    "relu maps, pooled, mse": lambda: fit(
        net(Conv2D(1, 3, activation="relu"), layers.GlobalAveragePooling2D(), inputs=IMAGE), "mse"
    ),
    # Something after the probabilities.
    "softmax, Dropout": lambda: fit(net(Dense(3, "softmax"), layers.Dropout(0.5)), CCE()),
    "sigmoid, Dropout": lambda: fit(net(Dense(1, "sigmoid"), layers.Dropout(0.2)), "bce"),
    "softmax maps, SpatialDropout": lambda: fit(
        segmenter(Softmax(), layers.SpatialDropout2D(0.5)), CCE()
    ),
    "softmax, BatchNormalization": lambda: fit(
        net(Dense(3, "softmax"), layers.BatchNormalization()), CCE()
    ),
    "sigmoid, LayerNormalization": lambda: fit(
        net(Dense(3, "sigmoid"), layers.LayerNormalization()), "bce"
    ),
    "sigmoid, percent": lambda: fit(net(Dense(1, "sigmoid"), layers.Rescaling(100.0)), "bce"),
    "softmax, Dense relu": lambda: fit(net(Dense(3, "softmax"), Dense(3, "relu")), CCE()),
    # The wrong axis.
    "Softmax over the rows": lambda: fit(net(Dense(3), Softmax(axis=0)), CCE()),
    "Softmax over the steps": lambda: fit(
        net(layers.LSTM(3, return_sequences=True), Softmax(axis=1), inputs=STEPS), CCE()
    ),
    "Softmax over the height": lambda: fit(segmenter(Softmax(axis=1)), SparseCCE()),
    "softmax operation over the steps": lambda: fit(
        graph(lambda x: ops.softmax(Dense(3)(x), axis=-2), STEPS), SparseCCE()
    ),
    "channels first, softmax over the width": lambda: fit(
        net(Conv2D(3, 1, activation="softmax", data_format="channels_first"), inputs=(2, 4, 4)),
        CCE(axis=1),
    ),
    "channels first, loss over the width": lambda: fit(
        segmenter(layers.Permute((3, 1, 2)), Softmax(axis=1)), CCE()
    ),
    "channels moved first, loss over the width": lambda: fit(
        segmenter(Softmax(), layers.Permute((3, 1, 2))), CCE()
    ),
    "channels last, loss over the height": lambda: fit(segmenter(Softmax()), CCE(axis=1)),
    "softmax over two answers at once": lambda: fit(
        net(Dense(6, "softmax"), layers.Reshape((2, 3))), CCE()
    ),
    "softmax at each step, Flatten": lambda: fit(
        net(Dense(3, "softmax"), layers.Flatten(), inputs=STEPS), CCE()
    ),
    "softmax over all pixels": lambda: fit(segmenter(Softmax(axis=(1, 2, 3))), CCE()),
    # Several outputs.
    "losses swapped, list": lambda: fit(price_and_label(), ["bce", "mse"]),
    "losses swapped, names": lambda: fit(as_dict(), {"price": BCE(), "label": "mse"}),
    "losses swapped, asked": lambda: ask(price_and_label(), {"price": "bce", "label": "mae"}),
    "outputs by name, list as written": lambda: fit(as_dict(), ["mse", "bce"]),
    "names crossed, layers' own": lambda: fit(
        crossed_names("sigmoid", None), {"price": "mse", "label": "bce"}
    ),
    "names of nested models, swapped": lambda: fit(towers(), {"label": "mse", "price": "bce"}),
    "one loss for two kinds": lambda: fit(price_and_label(), "mse"),
    "one BCE for two kinds": lambda: fit(as_dict(), "bce"),
    "the second is double": lambda: fit(
        heads(price=named(Dense, 1), kind=named(Dense, 3, "softmax")), ["mse", logits_of(CCE)]
    ),
    "the first is relu": lambda: fit(price_and_label("relu"), {"price": "mse", "label": "bce"}),
    "the third of deep supervision": lambda: fit(
        graph(
            lambda x: [Conv2D(1, 1, activation=a)(x) for a in ("sigmoid", "sigmoid", None)], IMAGE
        ),
        ["bce"] * 3,
    ),
    "one wrong, one without loss": lambda: fit(
        heads(label=named(Dense, 1), features=named(Dense, 4)), ["bce", None]
    ),
    "one wrong, one unknown": lambda: fit(
        graph(lambda x: [Dense(1, "sigmoid")(x), OwnLayer()(Dense(1)(x))]), ["mse", "mse"]
    ),
    "shared head, linear": lambda: fit(shared_head(None), ["bce", "bce"]),
    "asked, compiled rightly": lambda: ask(fit(net(Dense(1)), "mse")[0], "bce"),
    # Counts.
    "linear, poisson": lambda: fit(net(Dense(1)), "poisson"),
    "relu, poisson": lambda: fit(net(Dense(1, "relu")), losses.Poisson()),
    "sigmoid, poisson": lambda: fit(net(Dense(1, "sigmoid")), "poisson"),
    "y below 0, poisson": lambda: data(net(Dense(1, "exponential")), "poisson", REAL),
    "y of fractions, poisson": lambda: data(
        net(Dense(1, "exponential")), "poisson", np.array([0.5, 1, 2, 3])
    ),
    # Metrics that count something else. The first is TensorFlow's issue 41413.
    "logits, accuracy": lambda: fit(net(Dense(1)), logits_of(BCE), metrics=["accuracy"]),
    "logits, accuracy at one half": lambda: fit(
        net(Dense(1)), logits_of(BCE), metrics=[keras.metrics.BinaryAccuracy()]
    ),
    "logits, AUC": lambda: fit(net(Dense(1)), logits_of(BCE), metrics=["AUC"]),
    "logits, weighted precision": lambda: fit(
        net(Dense(1)), logits_of(BCE), weighted_metrics=[keras.metrics.Precision()]
    ),
    "class logits, cross-entropy of probabilities": lambda: fit(
        net(Dense(3)), logits_of(CCE), metrics=[keras.metrics.CategoricalCrossentropy()]
    ),
    "quantity, accuracy": lambda: fit(net(Dense(1)), "mse", metrics=["accuracy"]),
    "labels, categorical accuracy": lambda: fit(
        net(Dense(3, "softmax")), SparseCCE(), metrics=["categorical_accuracy"]
    ),
    "one-hot, sparse accuracy": lambda: fit(
        net(Dense(3, "softmax")), CCE(), metrics=[keras.metrics.SparseCategoricalAccuracy()]
    ),
    "several labels, accuracy": lambda: fit(net(Dense(3, "sigmoid")), "bce", metrics=["accuracy"]),
    "second output, accuracy": lambda: fit(
        price_and_label(), ["mse", "bce"], metrics=[["accuracy"], ["accuracy"]]
    ),
    # Targets of another kind. Stack Overflow 48385830 and 58609115.
    "y one-hot, linear with mse": lambda: data(net(Dense(3)), "mse", ONE_HOT),
    "y one-hot, sigmoids": lambda: data(net(Dense(69, "sigmoid")), "bce", np.eye(69)[:9]),
    "y -1 and 1, bce": lambda: data(net(Dense(1, "sigmoid")), "bce", 2 * BITS - 1),
    "y -1 and 1, logits": lambda: data(net(Dense(1)), logits_of(BCE), 2.0 * BITS[:, None] - 1),
    "y 1 and 2, bce": lambda: data(net(Dense(1, "sigmoid")), "bce", BITS + 1),
    "y of three classes, bce": lambda: data(net(Dense(1, "sigmoid")), "bce", LABELS),
    "y of prices, bce": lambda: data(net(Dense(1, "sigmoid")), "bce", REAL),
    "y mask of 0 and 255, bce": lambda: data(
        segmenter(Conv2D(1, 1, activation="sigmoid")), "bce", 255 * MASK[..., None]
    ),
    "y one-hot of two, bce": lambda: data(net(Dense(1, "sigmoid")), "bce", np.eye(2)[BITS]),
    "y labels, multi-label": lambda: data(net(Dense(3, "sigmoid")), "bce", LABELS),
    "y multi-label, another width": lambda: data(net(Dense(4, "sigmoid")), "bce", MULTI_HOT),
    "y labels, CCE": lambda: data(net(Dense(3, "softmax")), CCE(), LABELS),
    "y column of labels, CCE": lambda: data(net(Dense(3, "softmax")), CCE(), LABELS[:, None]),
    "y bits, CCE": lambda: data(net(Dense(2, "softmax")), CCE(), BITS),
    "y multi-hot, CCE": lambda: data(net(Dense(3, "softmax")), CCE(), MULTI_HOT),
    "y of zeros, CCE": lambda: data(net(Dense(3, "softmax")), CCE(), np.zeros((4, 3))),
    "y one-hot in percent, CCE": lambda: data(net(Dense(3, "softmax")), CCE(), 100 * ONE_HOT),
    "y one-hot, another width": lambda: data(net(Dense(4, "softmax")), CCE(), ONE_HOT),
    "y one-hot -1 and 1, logits": lambda: data(net(Dense(3)), logits_of(CCE), 2 * ONE_HOT - 1),
    "y class map, CCE": lambda: data(segmenter(Softmax()), CCE(), CLASS_MAP),
    "y one-hot, sparse": lambda: data(net(Dense(3, "softmax")), SparseCCE(), ONE_HOT),
    "y one-hot maps, sparse": lambda: data(segmenter(Softmax()), SparseCCE(), np.eye(3)[CLASS_MAP]),
    "y from 1, sparse": lambda: data(net(Dense(3, "softmax")), SparseCCE(), LABELS + 1),
    "y below 0, sparse": lambda: data(net(Dense(3)), logits_of(SparseCCE), LABELS - 1),
    "y of halves, sparse": lambda: data(net(Dense(3, "softmax")), SparseCCE(), LABELS / 2),
    "y with an edge class 255, sparse": lambda: data(
        segmenter(Softmax()), SparseCCE(), np.where(CLASS_MAP, CLASS_MAP, 255)
    ),
    "y of text, sparse": lambda: data(
        net(Dense(3, "softmax")), SparseCCE(), np.array(["cat", "dog", "owl", "dog"])
    ),
    "y labels, KL": lambda: data(net(Dense(3, "softmax")), "kld", LABELS),
    "y NaN, mse": lambda: data(net(Dense(1)), "mse", np.where(BITS, np.nan, REAL)),
    "y NaN, bce": lambda: data(net(Dense(1, "sigmoid")), "bce", np.where(BITS, np.nan, 0)),
    "y NaN row, CCE": lambda: data(
        net(Dense(3, "softmax")), CCE(), np.where(BITS[:, None], np.nan, ONE_HOT)
    ),
    "y infinite, mae": lambda: data(net(Dense(1)), "mae", np.where(BITS, np.inf, REAL)),
    "y (N, k), mse": lambda: data(net(Dense(1)), "mse", ONE_HOT),
    "y (N,), three targets": lambda: data(net(Dense(3)), "mse", REAL),
    "y (N, 2), three targets": lambda: data(net(Dense(3)), "mae", np.ones((4, 2))),
    "y (N,), value at each step": lambda: data(net(Dense(1), inputs=STEPS), "mse", REAL),
    "y empty": lambda: data(net(Dense(1)), "mse", REAL[:0]),
    "y of one output by name": lambda: data(
        as_dict(), {"price": "mse", "label": "bce"}, {"price": REAL, "label": 2 * BITS - 1}
    ),
    "y of one output in a list": lambda: data(
        heads(price=named(Dense, 1), kind=named(Dense, 3, "softmax")),
        ["mse", SparseCCE()],
        [REAL, LABELS + 1],
    ),
    "y of a shared head": lambda: data(shared_head("sigmoid"), ["bce", "bce"], [BITS, BITS + 1]),
    "y by name, list as written": lambda: data(
        as_dict(), {"price": "mse", "label": "bce"}, [REAL, BITS]
    ),
    "y in the wrong order": lambda: data(price_and_label(), ["mse", "bce"], [BITS, REAL]),
    "y wrong for an asked loss": lambda: ask(net(Dense(3, "softmax")), CCE(), y=LABELS),
    "y of an uncompiled graph": lambda: ask(
        price_and_label(), {"price": "mse", "label": "bce"}, y={"price": REAL, "label": BITS + 1}
    ),
}

UNKNOWN = {
    "Lambda": lambda: fit(net(Dense(3), layers.Lambda(lambda x: ops.softmax(x))), CCE()),
    "Lambda, linear": lambda: fit(
        net(Dense(1), layers.Lambda(lambda x: x * 10), Activation("linear")), "mse"
    ),
    "Lambda in a nested model": lambda: fit(
        nested(Dense(1), layers.Lambda(lambda x: ops.sigmoid(x))), "bce"
    ),
    "own layer": lambda: fit(net(Dense(1), OwnLayer()), "mse"),
    "own layer, Flatten": lambda: fit(net(Dense(1), OwnLayer(), layers.Flatten()), "mse"),
    "own layer named Softmax": lambda: fit(net(Dense(3), OwnSoftmax()), CCE()),
    "subclass of Dense": lambda: fit(net(OwnDense(3)), CCE()),
    "own layer at each step": lambda: fit(
        net(layers.TimeDistributed(net(OwnLayer(), inputs=(2,))), inputs=STEPS), "mse"
    ),
    "own activation": lambda: fit(net(Dense(1, own_activation)), "mse"),
    "lambda as activation": lambda: fit(net(Dense(3, lambda x: tf.nn.softmax(x))), CCE()),
    "Activation of an own function": lambda: fit(net(Dense(1), Activation(own_activation)), BCE()),
    "own activation named softmax": lambda: fit(net(Dense(3, softmax)), CCE()),
    "own loss": lambda: fit(net(Dense(1)), own_loss),
    "own loss, sigmoid": lambda: ask(net(Dense(1, "sigmoid")), own_loss),
    "own loss named as Keras'": lambda: fit(net(Dense(1)), mean_squared_error),
    "lambda as loss": lambda: fit(net(Dense(1)), lambda y, p: ops.abs(y - p)),
    "loss class of one's own": lambda: fit(net(Dense(1)), OwnLoss()),
    "subclass of a Keras loss": lambda: fit(net(Dense(1)), OwnBCE()),
    "own call": lambda: fit(OwnCall(Dense(3, "softmax")), CCE()),
    "own call, asked": lambda: ask(OwnCall(Dense(1)), "mse"),
    "own call inside": lambda: fit(net(OwnCall(Dense(1))), "mse"),
    "own train_step": lambda: fit(graph(Dense(1), kind=OwnTrainStep), "mse"),
    "own compute_loss": lambda: fit(graph(Dense(1), kind=OwnComputeLoss), "mse"),
    "not compiled": lambda: (net(Dense(1)), {}),
    "compiled without loss": lambda: fit(net(Dense(1)), None),
    "one right, one Lambda": lambda: fit(
        graph(lambda x: [Dense(1)(x), layers.Lambda(lambda x: x)(Dense(1)(x))]), ["mse", "mse"]
    ),
    "one right, one own loss": lambda: fit(price_and_label(), ["mse", own_loss]),
}

# Cases about which one may argue: the model, the verdict that we hold, and why.
DEBATABLE = {
    "relu before Softmax": (
        lambda: fit(net(Dense(3, "relu"), Softmax()), CCE()),
        "unknown",
        "Logits that cannot be negative reach every distribution still, though units die.",
    ),
    "relu, CCE of logits": (
        lambda: fit(net(Dense(3, "relu")), logits_of(CCE)),
        "unknown",
        "As relu before Softmax.",
    ),
    "tanh, BCE of logits": (
        lambda: fit(net(Dense(1, "tanh")), logits_of(BCE)),
        "wrong",
        "The probability stays within 0.27 and 0.73, though some clip logits so on purpose.",
    ),
    "softplus, mse": (
        lambda: fit(net(Dense(1, "softplus")), "mse"),
        "unknown",
        "A positive mean is a Gaussian with another link than the table's.",
    ),
    "autoencoder, sigmoid, mse": (
        lambda: fit(autoencoder("sigmoid"), "mse"),
        "wrong",
        "Common for pixels in [0, 1]; by the table sigmoid goes with BCE.",
    ),
    "sparsemax, CCE": (
        lambda: fit(net(Dense(3, "sparsemax")), CCE()),
        "wrong",
        "Rows sum to 1, but the log of an exact 0 is only clipped; it has a loss of its own.",
    ),
    "LSTM of one, mse": (
        lambda: fit(net(layers.LSTM(1), inputs=STEPS), "mse"),
        "wrong",
        "Its output is tanh times a gate, within -1 and 1; 'unknown' is defensible.",
    ),
    "softmax, GlobalMaxPooling": (
        lambda: fit(segmenter(Softmax(), layers.GlobalMaxPooling2D()), CCE()),
        "wrong",
        "Rows sum to more than 1; Keras' CCE divides by the sum without a word.",
    ),
    "double softmax, own loss": (
        lambda: fit(net(Dense(3, "softmax"), Softmax()), own_loss),
        "wrong",
        "The head is wrong by itself; 'unknown' is defensible.",
    ),
    "softmax, GlobalAveragePooling": (
        lambda: fit(segmenter(Softmax(), layers.GlobalAveragePooling2D()), CCE()),
        "right",
        "The mean of distributions is one, as for Average of softmaxes.",
    ),
    "sigmoid, GlobalMaxPooling": (
        lambda: fit(
            segmenter(Activation("sigmoid"), layers.GlobalMaxPooling2D(), channels=1), "bce"
        ),
        "right",
        "The largest probability is a probability: learning from bags of instances.",
    ),
    "product of sigmoids, bce": (
        lambda: fit(
            graph(lambda x: layers.Multiply()([Dense(1, "sigmoid")(x), Dense(1, "sigmoid")(x)])),
            "bce",
        ),
        "right",
        "The probability of a click and a purchase after it is their product.",
    ),
    "second of a softmax of two, bce": (
        lambda: fit(graph(lambda x: Dense(2, "softmax")(x)[:, 1:]), "bce"),
        "unknown",
        "It is the probability of class 1, but only the index tells.",
    ),
    "SimpleRNN as softmax head": (
        lambda: fit(net(layers.SimpleRNN(3, activation="softmax"), inputs=STEPS), CCE()),
        "right",
        "Its output is the activation itself; 'unknown' is defensible.",
    ),
    "softplus, poisson": (
        lambda: fit(net(Dense(1, "softplus")), "poisson"),
        "unknown",
        "A Poisson likelihood with another link than the table's.",
    ),
    "linear, hinge of -1 and 1": (
        lambda: data(net(Dense(1)), "hinge", 2 * BITS - 1),
        "unknown",
        "A support vector machine: no likelihood, and not in the table.",
    ),
    "sigmoid maps, Dice": (
        lambda: fit(segmenter(Conv2D(1, 1, activation="sigmoid")), losses.Dice()),
        "unknown",
        "The usual pair for masks: no likelihood, and not in the table.",
    ),
    "y of shares, CCE": (
        lambda: data(net(Dense(3, "softmax")), CCE(), SHARES),
        "right",
        "A cross-entropy still, if they are meant as probabilities; a note says so.",
    ),
    "y of shares, bce": (
        lambda: data(net(Dense(1, "sigmoid")), "bce", SHARES[:, 0]),
        "right",
        "As shares with CCE: minimal at the mean, but no likelihood of labels.",
    ),
    "y one-hot, multi-label": (
        lambda: data(net(Dense(3, "sigmoid")), "bce", ONE_HOT),
        "wrong",
        "Every one-hot row is a multi-hot row too, but where all are one-hot a softmax is due.",
    ),
    "y one-hot, all of one class, multi-label": (
        lambda: data(net(Dense(3, "sigmoid")), "bce", ONE_HOT[[1, 1, 1]]),
        "right",
        "Rows that are all the same say nothing about choices.",
    ),
    "y of bits, mse": (
        lambda: data(net(Dense(1)), "mse", BITS),
        "right",
        "Looks like a classification, but nothing in a count of 0 or 1 forbids a regression.",
    ),
    "log-softmax, Softmax": (
        lambda: fit(net(Dense(3, "log_softmax"), Softmax()), CCE()),
        "right",
        "Softmax gives back the probabilities of log-probabilities; superfluous, but exact.",
    ),
    "own layer, Softmax": (
        lambda: fit(net(Dense(3), OwnLayer(), Softmax()), CCE()),
        "unknown",
        "The head is a softmax, but the layer before it may have been one already.",
    ),
    "partial as loss": (
        lambda: fit(net(Dense(1)), partial(losses.binary_crossentropy, from_logits=True)),
        "unknown",
        "One could look into a partial; a function of one's own is the honest reading.",
    ),
    "partial as activation": (
        lambda: fit(net(Dense(3, partial(activations.softmax, axis=-1))), CCE()),
        "unknown",
        "As partial as loss.",
    ),
    "softmax by hand": (
        lambda: fit(graph(lambda x: normalised(ops.exp(Dense(3)(x)))), CCE()),
        "unknown",
        "Right to a reader, who would have to follow the arithmetic.",
    ),
    "two probabilities by hand": (
        lambda: fit(graph(lambda x: both(Dense(1, "sigmoid")(x))), CCE()),
        "unknown",
        "p beside 1 - p sums to 1, but only the arithmetic tells.",
    ),
    "sigmoid, clipped": (
        lambda: fit(graph(lambda x: ops.clip(Dense(1, "sigmoid")(x), 1e-7, 1 - 1e-7)), "bce"),
        "unknown",
        "A habit against log(0), but clip may cut anywhere.",
    ),
    "sigmoid on a scale, mse": (
        lambda: fit(net(Dense(1, "sigmoid"), layers.Rescaling(4.0, offset=1.0)), "mse"),
        "unknown",
        "Ratings of 1 to 5 are bounded, if the model knows the same bounds.",
    ),
    "not built yet": (
        lambda: fit(keras.Sequential([Dense(3, "softmax")]), CCE()),
        "unknown",
        "The layers could be read, but the shapes are not there yet.",
    ),
}


@pytest.mark.parametrize("build", RIGHT.values(), ids=RIGHT)
def test_right_models(build):
    model, arguments = build()
    report = check_pairing(model, **arguments)
    assert [finding for finding in report.findings if finding.verdict != "right"] == []
    assert report.findings
    assert report.verdict == "right"


@pytest.mark.parametrize("build", WRONG.values(), ids=WRONG)
def test_wrong_models(build):
    model, arguments = build()
    report = check_pairing(model, **arguments)
    assert report.verdict == "wrong"
    wrong = [finding for finding in report.findings if finding.verdict == "wrong"]
    assert wrong
    assert all(finding.rule and finding.found and finding.remedy for finding in wrong)


@pytest.mark.parametrize("build", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_models(build):
    model, arguments = build()
    report = check_pairing(model, **arguments)
    assert report.verdict == "unknown"
    unknown = [finding for finding in report.findings if finding.verdict == "unknown"]
    assert unknown
    assert all(finding.found and finding.remedy for finding in unknown)


@pytest.mark.parametrize(("build", "verdict", "reason"), DEBATABLE.values(), ids=DEBATABLE)
def test_debatable_models(build, verdict, reason):
    model, arguments = build()
    assert check_pairing(model, **arguments).verdict == verdict, reason


@pytest.mark.backends
def test_the_zoo_on_another_backend(python):
    done = python("-m", "pytest", "-q", "-n", "0", __file__, KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stdout[-2000:]
