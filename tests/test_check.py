"""check_pairing: the words of its findings, several outputs, targets, its report, its errors."""

from __future__ import annotations

import dataclasses
import json
from functools import partial

import numpy as np
import pandas as pd
import pytest

from nnloss._tensorflow import keras, tf  # isort: skip
from nnloss import DataError, Finding, PairingError, PairingReport, check_pairing

layers, losses, ops = keras.layers, keras.losses, keras.ops
Dense = layers.Dense
CCE = losses.CategoricalCrossentropy
SparseCCE = losses.SparseCategoricalCrossentropy


def net(*ends, inputs=(8,)):
    return keras.Sequential([keras.Input(inputs), *ends], name="net")


def graph(build, inputs=(8,)):
    x = keras.Input(inputs)
    return keras.Model(x, build(x), name="net")


def named(cls, *arguments, **options):
    """Make a layer that is called out, as the outputs below are."""
    return cls(*arguments, **options, name="out")


def two_outputs():
    return graph(lambda x: [Dense(1, name="price")(x), Dense(3, "softmax", name="kind")(x)])


def as_dict():
    """Give the outputs in another order than the alphabet's, which is Keras' own."""
    return graph(lambda x: {"price": Dense(1)(x), "kind": Dense(3, "softmax")(x)})


def in_dicts_and_lists():
    return graph(
        lambda x: {"p": [Dense(1)(x), Dense(1, "sigmoid")(x)], "q": Dense(3, "softmax")(x)}
    )


# the end of the model, the loss, and the parts of the finding: what was found comes after
# "output 'out' of model 'net' ends in ".
WORDS = {
    "double softmax": (
        lambda: net(named(Dense, 3, "softmax")),
        lambda: CCE(from_logits=True),
        "wrong",
        "The loss 'CategoricalCrossentropy(from_logits=True)' applies softmax itself and needs a "
        "linear output",
        "Dense(3, activation='softmax'): double softmax",
        "Use loss='categorical_crossentropy', or end in a linear layer",
    ),
    "two softmax layers": (
        lambda: net(Dense(3, "softmax"), named(layers.Softmax)),
        "categorical_crossentropy",
        "wrong",
        "An output needs its softmax once",
        "Dense(3, activation='softmax') -> Softmax: double softmax",
        "Remove the last softmax",
    ),
    "softmax of one unit": (
        lambda: net(named(Dense, 1, "softmax")),
        "binary_crossentropy",
        "wrong",
        "A softmax needs at least two units",
        "Dense(1, activation='softmax'), which is 1 for every row",
        "End in sigmoid with loss='binary_crossentropy', or in one unit for each class",
    ),
    "logits": (
        lambda: net(named(Dense, 3)),
        "categorical_crossentropy",
        "wrong",
        "The loss 'categorical_crossentropy' needs a softmax output",
        "Dense(3), which gives logits and not probabilities",
        "End in softmax, or use loss=keras.losses.CategoricalCrossentropy(from_logits=True)",
    ),
    "softmax, bce": (
        lambda: net(named(Dense, 3, "softmax")),
        "bce",
        "wrong",
        "The loss 'binary_crossentropy' needs a sigmoid output",
        "Dense(3, activation='softmax'), which makes one choice and not yes/no answers",
        "End in sigmoid, or use loss='categorical_crossentropy' if the targets are one-hot",
    ),
    "sigmoids, cce": (
        lambda: net(named(Dense, 3, "sigmoid")),
        "cce",
        "wrong",
        "The loss 'categorical_crossentropy' needs a softmax output",
        "Dense(3, activation='sigmoid'), whose rows do not sum to 1",
        "End in softmax, or use loss='binary_crossentropy' if the targets are 0 and 1",
    ),
    "relu, mse": (
        lambda: net(named(Dense, 1, "relu")),
        "mse",
        "wrong",
        "The loss 'mean_squared_error' needs a linear output",
        "Dense(1, activation='relu'), which cannot predict below 0",
        "End in a linear layer",
    ),
    "a leaky ReLU has no bound": (
        lambda: net(Dense(1), named(layers.ReLU, negative_slope=0.1)),
        "mse",
        "wrong",
        "The loss 'mean_squared_error' needs a linear output",
        "Dense(1) -> ReLU, which bends at 0",
        "End in a linear layer",
    ),
    "an activation without a word of its own": (
        lambda: net(named(Dense, 1, "soft_shrink")),
        "mse",
        "wrong",
        "The loss 'mean_squared_error' needs a linear output",
        "Dense(1, activation='soft_shrink'), which is soft_shrink and not linear",
        "End in a linear layer",
    ),
    "softmax over the steps": (
        lambda: net(Dense(3), named(layers.Softmax, axis=1), inputs=(5, 2)),
        "categorical_crossentropy",
        "wrong",
        "The loss 'categorical_crossentropy' needs a softmax output over axis 2",
        "Dense(3) -> Softmax over axis 1, which sums to 1 over axis 1",
        "Use Softmax(axis=2), or give the loss the axis of the classes",
    ),
    "classes over the rows": (
        lambda: net(named(Dense, 3, "softmax")),
        lambda: CCE(axis=0),
        "wrong",
        "The classes need an axis of the output of their own, after that of the rows",
        "Dense(3, activation='softmax') and has the shape (N, 3), and the loss "
        "'CategoricalCrossentropy(axis=0)' takes axis 0",
        "Give the loss the axis of the classes; the output needs one",
    ),
    "recurrent": (
        lambda: net(named(layers.Bidirectional, layers.LSTM(1)), inputs=(5, 2)),
        "mse",
        "wrong",
        "The loss 'mean_squared_error' needs a linear output",
        "Bidirectional, which cannot leave the range -1 to 1",
        "End in a linear layer",
    ),
    "Lambda": (
        lambda: net(Dense(3), named(layers.Lambda, lambda x: x)),
        "mse",
        "unknown",
        "The loss 'mean_squared_error' needs a linear output",
        "Lambda, and a Lambda layer hides what the numbers are",
        "End in one of Keras' own layers with its activation, or check the code of that layer",
    ),
    "another loss": (
        lambda: net(named(Dense, 1)),
        "hinge",
        "unknown",
        "nnloss must know which output the loss needs",
        "Dense(1), with the loss 'hinge', which nnloss does not recognise as a likelihood",
        "Use one of mean_squared_error, mean_absolute_error, binary_crossentropy, "
        "categorical_crossentropy, sparse_categorical_crossentropy, poisson, huber, "
        "log_cosh, mean_absolute_percentage_error, binary_focal_crossentropy, "
        "categorical_focal_crossentropy, kl_divergence, or check by hand that the output fits",
    ),
    "no loss": (
        lambda: net(named(Dense, 1)),
        None,
        "unknown",
        "An output is judged with its loss",
        "Dense(1), and there is no loss",
        "Compile the model, or give the loss",
    ),
    "right": (
        lambda: net(named(Dense, 1, "sigmoid")),
        "bce",
        "right",
        "The loss 'binary_crossentropy' fits this output",
        "Dense(1, activation='sigmoid')",
        "",
    ),
}


@pytest.mark.parametrize(
    ("build", "loss", "verdict", "rule", "found", "remedy"), WORDS.values(), ids=WORDS
)
def test_words(build, loss, verdict, rule, found, remedy):
    report = check_pairing(build(), loss() if callable(loss) else loss)
    (finding,) = report.findings
    where = "output 'out' of model 'net' ends in "
    assert (finding.output, finding.rule, finding.remedy) == ("out", rule, remedy)
    assert finding.found == where + found
    assert finding.verdict == report.verdict == verdict


SIGMOID, SOFTMAX = (lambda: net(Dense(1, "sigmoid"))), (lambda: net(Dense(3, "softmax")))

# model, loss, targets, and the parts of the finding; found and remedy None where they fit
TARGETS = {
    "labels for cce": (
        SOFTMAX,
        "categorical_crossentropy",
        np.array([0, 1, 2]),
        "The loss 'categorical_crossentropy' needs targets that are one-hot, of shape (N, 3)",
        "found integer labels 0, 1, 2 in y of shape (3,)",
        "Use keras.utils.to_categorical(y, 3), or loss='sparse_categorical_crossentropy'",
    ),
    "one-hot for sparse": (
        SOFTMAX,
        "sparse_categorical_crossentropy",
        np.eye(3),
        "The loss 'sparse_categorical_crossentropy' needs targets that are integer labels "
        "from 0 to 2, of shape (N,) or (N, 1)",
        "found y of shape (3, 3), which looks one-hot",
        "Use loss='categorical_crossentropy', or y.argmax(axis=1)",
    ),
    "labels from 1": (
        SOFTMAX,
        "sparse_categorical_crossentropy",
        [1, 2, 3],
        "The loss 'sparse_categorical_crossentropy' needs targets that are integer labels "
        "from 0 to 2, of shape (N,) or (N, 1)",
        "found values 3 in y of shape (3,), first bad rows 2",
        "Number the classes from 0, for example with numpy.unique(y, "
        "return_inverse=True)[1], and check their number",
    ),
    "-1 and 1": (
        SIGMOID,
        "bce",
        np.array([-1, 1]),
        "The loss 'binary_crossentropy' needs targets that are 0 or 1, of shape (N,) or (N, 1)",
        "found values -1, 1 in y of shape (2,), first bad rows 0",
        "Use (y + 1) // 2",
    ),
    "three classes": (
        SIGMOID,
        "bce",
        np.array([0, 1, 2]),
        "The loss 'binary_crossentropy' needs targets that are 0 or 1, of shape (N,) or (N, 1)",
        "found values 0, 1, 2 in y of shape (3,), first bad rows 2",
        "Use task MULTICLASS with classes=3 (softmax and "
        "loss='sparse_categorical_crossentropy') for classes, or task REGRESSION (a linear "
        "output and loss='mean_squared_error') for a quantity",
    ),
    "complex numbers": (
        lambda: net(Dense(1)),
        "mse",
        np.array([1j]),
        "The loss 'mean_squared_error' needs targets that are finite numbers, of shape (N,) "
        "or (N, 1)",
        "found dtype complex128 in y",
        "Convert y to a float or integer array",
    ),
    "durations": (
        lambda: net(Dense(1)),
        "mse",
        np.array([1], dtype="timedelta64[D]"),
        "The loss 'mean_squared_error' needs targets that are finite numbers, of shape (N,) "
        "or (N, 1)",
        "found dtype timedelta64[D] in y",
        "Convert y to a float or integer array",
    ),
}


@pytest.mark.parametrize(
    ("build", "loss", "y", "rule", "found", "remedy"), TARGETS.values(), ids=TARGETS
)
def test_words_on_targets(build, loss, y, rule, found, remedy):
    report = check_pairing(build(), loss, y)
    (finding,) = report.findings
    assert (finding.rule, finding.found, finding.remedy) == (rule, found, remedy)
    assert report.verdict == "wrong"


def segmenter(axis, loss_axis):
    """Give three classes for each place, on an axis of one's choice."""
    order = (3, 1, 2) if axis == 1 else (1, 2, 3)
    ends = layers.Permute(order), layers.Softmax(axis=axis)
    model = net(layers.Conv2D(3, 1), *ends, inputs=(4, 5, 2))
    return model, SparseCCE(axis=loss_axis), np.zeros((2, 4, 5))


FIT = {
    "one row in a list": lambda: (SIGMOID(), "bce", [1]),
    "one one-hot row in a list": lambda: (SOFTMAX(), "cce", [[1, 0, 0]]),
    "an array for the one output": lambda: (SIGMOID(), "bce", [np.array([0, 1])]),
    "booleans of pandas": lambda: (SIGMOID(), "bce", pd.Series([True, False])),
    "a frame": lambda: (SOFTMAX(), "cce", pd.get_dummies(pd.Series(list("abc")))),
    "a tensor": lambda: (SOFTMAX(), "scce", tf.constant([0, 1, 2])),
    "a tensor of half precision": lambda: (
        net(Dense(1)),
        "mse",
        tf.constant([1.5], dtype="bfloat16"),
    ),
    "a class left out": lambda: (SOFTMAX(), SparseCCE(ignore_class=-1), np.array([0, -1, 2])),
    "classes on axis 1": lambda: segmenter(1, 1),
    "classes on axis 3": lambda: segmenter(3, -1),
    "the loss picked by one-hot rows": lambda: (SOFTMAX(), "crossentropy", np.eye(3)),
    "the loss picked by labels": lambda: (SOFTMAX(), "crossentropy", [0, 1, 2]),
    "the loss picked by a column": lambda: (SOFTMAX(), "ce", np.array([[0], [1]])),
}


@pytest.mark.parametrize("build", FIT.values(), ids=FIT)
def test_targets_that_fit(build):
    (finding,) = check_pairing(*build()).findings
    assert finding.verdict == "right", finding
    assert finding.rule.endswith("fits this output and these targets")


def test_the_axis_of_the_sparse_loss_is_looked_at():
    model, _, y = segmenter(1, 1)
    assert check_pairing(model, SparseCCE(), y).verdict == "wrong"


@pytest.mark.parametrize(
    "loss",
    [
        ["mse", "categorical_crossentropy"],
        ("mse", CCE()),
        {"price": "mse", "kind": "categorical_crossentropy"},
        {"kind": ["categorical_crossentropy", "kl_divergence"], "price": "mse"},
    ],
)
def test_losses_of_two_outputs(loss):
    model = two_outputs()
    assert check_pairing(model, loss).verdict == "right"
    model.compile(loss=loss)
    report = check_pairing(model, y=[np.zeros(3), np.eye(3)])
    assert report.verdict == "right"
    assert {finding.output for finding in report.findings} == {"price", "kind"}


def test_one_loss_is_for_every_output():
    price, kind = check_pairing(two_outputs(), "mse").findings
    assert (price.verdict, kind.verdict) == ("right", "wrong")


def test_an_output_may_be_without_a_loss():
    price, kind = check_pairing(two_outputs(), {"price": "mse"}).findings
    assert (price.verdict, kind.verdict) == ("right", "right")
    assert kind.rule == "An output without a loss is not trained"


def test_outputs_in_a_dict_are_in_alphabetical_order():
    report = check_pairing(as_dict(), ["categorical_crossentropy", "mse"])
    assert [finding.output for finding in report.findings] == ["kind", "price"]
    assert report.verdict == "right"
    assert check_pairing(as_dict(), ["mse", "categorical_crossentropy"]).verdict == "wrong"
    keys = {"price": "mse", "kind": "categorical_crossentropy"}
    y = {"price": np.zeros(3), "kind": np.eye(3)}
    assert check_pairing(as_dict(), keys, y).verdict == "right"


def test_one_tensor_may_be_two_outputs():
    def build(x):
        price = Dense(1)(x)
        return {"price": price, "again": price}

    report = check_pairing(graph(build), {"price": "mse", "again": "mae"})
    assert [finding.output for finding in report.findings] == ["again", "price"]
    assert report.verdict == "right"


def test_outputs_in_dicts_and_lists():
    report = check_pairing(in_dicts_and_lists(), {"p": ["mse", "bce"], "q": "cce"})
    assert [finding.output for finding in report.findings] == ["p/0", "p/1", "q"]
    assert report.verdict == "right"
    crossed = check_pairing(in_dicts_and_lists(), {"p": ["bce", "mse"], "q": "cce"})
    assert [finding.verdict for finding in crossed.findings] == ["wrong", "wrong", "right"]


# what is asked for, and the finding on the whole model
STRUCTURES = {
    "too few losses": (
        two_outputs,
        ["mse"],
        None,
        "A model with 2 outputs needs loss for each of them; found 1. Give a list of 2, or a dict.",
    ),
    "no such output": (
        two_outputs,
        {"prize": "mse"},
        None,
        "The keys of loss must be names of outputs: price, kind; found 'prize'. "
        "Name the output's layer, or use a list.",
    ),
    "one array for two": (
        two_outputs,
        ["mse", "cce"],
        np.zeros(3),
        "A model with 2 outputs needs y for each of them; found 1. Give a list of 2, or a dict.",
    ),
    "nested otherwise": (
        in_dicts_and_lists,
        {"p": ["mse"], "q": "cce"},
        None,
        "The structure of loss must be that of the outputs; found nothing for the output 'p/1'. "
        "Nest the same dicts and lists, or check each output on its own.",
    ),
}


@pytest.mark.parametrize(("build", "loss", "y", "text"), STRUCTURES.values(), ids=STRUCTURES)
def test_losses_and_targets_that_do_not_match_the_outputs(build, loss, y, text):
    report = check_pairing(build(), loss, y)
    (finding,) = report.findings
    assert (finding.output, report.verdict, str(finding)) == ("", "wrong", text)


@pytest.mark.parametrize("loss", [[], (), {}, [None], None])
def test_without_a_loss_nothing_is_known(loss):
    assert check_pairing(net(Dense(1)), loss).verdict == "unknown"


# models that were once judged wrongly, or not at all
LIMITS = {
    "single number": (lambda: graph(lambda x: ops.sum(Dense(3)(x))), "mse", "unknown"),
    "single number, ce": (lambda: graph(lambda x: ops.sum(Dense(3)(x))), "ce", "unknown"),
    "a single number inside": (
        lambda: graph(lambda x: Dense(3)(x) * ops.sigmoid(ops.sum(Dense(1)(x)))),
        "mse",
        "right",
    ),
    "class axis squeezed away": (
        lambda: graph(lambda x: Dense(1)(x)[:, 0]),
        lambda: CCE(from_logits=True),
        "wrong",
    ),
    "axis that is not there": (SOFTMAX, lambda: CCE(axis=5), "wrong"),
    "sigmoid times ten, mse": (
        lambda: graph(lambda x: Dense(1, "sigmoid")(x) * 10),
        "mse",
        "unknown",
    ),
    "sigmoid times ten, bce": (
        lambda: graph(lambda x: Dense(1, "sigmoid")(x) * 10),
        "bce",
        "unknown",
    ),
    "the other sign": (lambda: graph(lambda x: ops.sigmoid(-Dense(1)(x))), "bce", "right"),
    "maxout": (lambda: graph(lambda x: ops.max(Dense(4)(x), axis=-1)), "mse", "right"),
    "largest of 0 and a number": (
        lambda: graph(lambda x: ops.maximum(Dense(1)(x), 0.0)),
        "mse",
        "unknown",
    ),
    "two softmaxes of one layer": (
        lambda: graph(lambda x: [ops.softmax(part) for part in ops.split(Dense(6)(x), 2, -1)]),
        "cce",
        "right",
    ),
    "one class at each of as many steps": (
        lambda: graph(lambda x: Dense(7, "softmax")(x)[:, :, 0], inputs=(7, 3)),
        "cce",
        "unknown",
    ),
    "last step": (
        lambda: graph(lambda x: Dense(4, "softmax")(x)[:, -1], inputs=(7, 3)),
        "cce",
        "right",
    ),
    "an interpolation that overshoots": (
        lambda: net(
            layers.Conv2D(3, 1, activation="softmax"),
            layers.UpSampling2D(interpolation="bicubic"),
            inputs=(4, 4, 2),
        ),
        "cce",
        "unknown",
    ),
    "softmax over all there is": (
        lambda: graph(lambda x: ops.softmax(Dense(3)(x), axis=None)),
        "cce",
        "wrong",
    ),
}


@pytest.mark.parametrize(("build", "loss", "verdict"), LIMITS.values(), ids=LIMITS)
def test_models_at_the_limits(build, loss, verdict):
    assert check_pairing(build(), loss() if callable(loss) else loss).verdict == verdict


def chain(length, step):
    def build(x):
        value = Dense(3, "sigmoid")(x)
        for _ in range(length):
            value = step(value)
        return value

    return graph(build)


def test_a_graph_that_divides_and_meets_again_is_read_once():
    # Of the sixty steps there are 2 to the power of 60 ways back.
    assert check_pairing(chain(60, lambda value: value * value), "bce").verdict == "right"


def test_a_model_may_be_deep():
    assert check_pairing(chain(800, lambda value: value * value), "bce").verdict == "right"
    (finding,) = check_pairing(chain(800, ops.negative), "bce").findings
    assert finding.verdict == "unknown"
    assert finding.found == (
        "output 'negative_800' of model 'net' ends in ... -> Negative -> Negative -> Negative, "
        "and Negative hides what the numbers are"
    ).replace("negative_800", finding.output)


def test_the_model_is_left_as_it_is():
    model = net(Dense(3, "softmax"))
    before = [weights.numpy().copy() for weights in model.weights]
    check_pairing(model, "bce", np.eye(3))
    assert not model.compiled
    assert all((old == new.numpy()).all() for old, new in zip(before, model.weights, strict=True))


def test_report_as_plain_types():
    report = check_pairing(net(named(Dense, 1, "relu")), "mse")
    assert json.loads(json.dumps(report.to_dict())) == {
        "model": "net",
        "verdict": "wrong",
        "findings": [
            {
                "output": "out",
                "verdict": "wrong",
                "rule": "The loss 'mean_squared_error' needs a linear output",
                "found": "output 'out' of model 'net' ends in Dense(1, activation='relu'), "
                "which cannot predict below 0",
                "remedy": "End in a linear layer",
            }
        ],
    }


def test_report_as_text():
    first, *lines = str(check_pairing(net(named(Dense, 1, "relu")), "mse")).splitlines()
    assert first == "net: wrong"
    assert all(len(line) <= 100 and line.startswith("  ") for line in lines)
    assert " ".join(" ".join(lines).split()) == (
        "output 'out', wrong: The loss 'mean_squared_error' needs a linear output; output 'out' of "
        "model 'net' ends in Dense(1, activation='relu'), which cannot predict below 0. End in a "
        "linear layer."
    )
    whole = str(check_pairing(two_outputs(), ["mse"]))
    assert whole.startswith("net: wrong\n  model, wrong: A model with 2 outputs needs")


def test_text_has_nothing_that_a_terminal_acts_on():
    name = "a\n\x1b[31m\ud800b"
    finding = Finding(name, "wrong", "A rule", "found", "Do this")
    first, second = str(PairingReport(name, (finding,))).splitlines()
    assert first == r"a\n\x1b[31m\ud800b: wrong"
    assert second == r"  output 'a\n\x1b[31m\ud800b', wrong: A rule; found. Do this."


def test_a_function_that_makes_a_model_is_called():
    def compiled():
        model = net(named(Dense, 1, "relu"))
        model.compile(loss="mse")
        return model

    assert check_pairing(compiled).verdict == "wrong"
    assert check_pairing(partial(net, named(Dense, 1)), "mse").verdict == "right"
    with pytest.raises(PairingError, match="found list"):
        check_pairing(lambda: [], "mse")


def test_a_file_is_read(tmp_path):
    model = net(named(Dense, 1, "relu"))
    model.compile(loss="mse")
    model.save(tmp_path / "m.keras")
    assert check_pairing(tmp_path / "m.keras").verdict == "wrong"
    assert check_pairing(str(tmp_path / "m.keras"), "hinge").verdict == "unknown"
    with pytest.raises(DataError, match=r"must be a .keras file; the system reports"):
        check_pairing(tmp_path / "other.keras")


def test_a_wrong_report_can_be_raised():
    report = check_pairing(two_outputs(), "mse")
    with pytest.raises(PairingError) as caught:
        report.raise_if_wrong()
    price, kind = report.findings
    assert price.verdict == "right"
    assert (caught.value.rule, caught.value.found, caught.value.remedy) == (
        kind.rule,
        kind.found,
        kind.remedy,
    )
    for loss in ("mse", "hinge"):
        report = check_pairing(net(Dense(1)), loss)
        assert report.raise_if_wrong() is report


def test_report_in_a_notebook():
    finding = Finding("<b>", "wrong", "A & rule", "found", "Do this")
    text = PairingReport("<i>net\n</i>", (finding,))._repr_html_()
    assert text.startswith(r"<table><caption>&lt;i&gt;net\n&lt;/i&gt;: wrong</caption><tr><th")
    assert text.count("<tr>") == 2
    for cell in ("&lt;b&gt;", "wrong", "A &amp; rule", "found", "Do this"):
        assert f">{cell}</td>" in text


def test_report_cannot_be_changed():
    report = check_pairing(net(Dense(1)), "mse")
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.model = "another"
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.findings[0].verdict = "wrong"


@pytest.mark.parametrize("what", [None, 5, keras.Model, layers.Dense(1)])
def test_only_models_are_checked(what):
    with pytest.raises(
        PairingError,
        match=r"check_pairing needs a Keras model, a function that makes one, or a \.ker.*; found ",
    ):
        check_pairing(what, "mse")


@pytest.mark.parametrize("loss", ["mean_squared_eror", ""])
def test_a_name_that_keras_does_not_know(loss):
    text = f"The loss must be one that Keras knows; found '{loss}'. See keras.losses."
    with pytest.raises(PairingError) as raised:
        check_pairing(net(Dense(1)), loss)
    assert str(raised.value) == text
