# %% [markdown]
# # Exercise 11.4: what is in the picture?
#
# Ten classes and 60,000 colour images of 32 x 32 pixels: a multi-class classification problem. The
# classical method is multinomial logistic regression on the pixels. A convolutional network adds
# layers before it that combine neighbouring pixels, and keeps the rest: softmax and categorical
# cross-entropy, which is the multinomial likelihood under another name.
#
# Run it with `python -m exercises.cifar10`; `--augment` answers the second question too.

# %%
"""Exercise 11.4: classify CIFAR-10 by softmax regression and by a convolutional network."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import nnloss
from nnloss import commandline as cli
from nnloss.commandline import heading, paragraph, table
from nnloss.course.cifar10 import (
    AUGMENTATION,
    QUICK_EPOCHS,
    QUICK_ROWS,
    Array,
    accuracy_and_error,
    network,
    softmax_regression,
    steps_per_epoch,
)
from nnloss.course.confusion import confusion
from nnloss.course.published import compare, comparison_table, parse_edition, settings_of

# %% [markdown]
# ## What do the data look like?
#
# All classes have equally many images, so accuracy is a fair measure, and guessing gets one in ten
# right.


# %%
def some_images(split: nnloss.Split, each: int = 10) -> Any:
    """Draw the first training images of each class."""
    first = {
        name: split.x_train[split.y_train == number][:each]
        for number, name in enumerate(split.classes)
    }
    return nnloss.plots.images(first)


# %% [markdown]
# ## The classical model first
#
# A softmax regression has one coefficient per pixel, colour and class, and one intercept per class:
# 30,730 parameters. It is a network without hidden layers. Pixels are divided by 255 and centred at
# the mean image. Centring changes only the intercepts, but without it L-BFGS takes many times as
# long. With a small ridge penalty it converges in about 50 steps.


# %%
# %% [markdown]
# ## How many output nodes are needed, and which loss?
#
# There is one node per class. Each image shows exactly one class, so the ten outputs must be
# probabilities that sum to 1: softmax. The loss is categorical cross-entropy on one-hot labels.
# `compile_for_task` adds both; the network has only hidden layers. Its first layer divides by 255,
# so that the images are stored as bytes.
#
# ## Augmentation
#
# A slightly rotated, shifted or mirrored image shows the same object. A layer of the network draws
# a new random change for each image in each epoch, in training only. It rotates and shifts in one
# step, as the course did: two steps would blur the image twice.


# %%
def train(
    split: nnloss.Split, run: nnloss.Run, augment: bool, seed: int, epochs: int, batch: int
) -> tuple[Array, dict[str, dict[str, float]]]:
    """Train the network; return its test probabilities, and loss and accuracy by set of rows."""
    y_train, y_test = (
        nnloss.encode(y, nnloss.MULTICLASS, len(split.classes))
        for y in (split.y_train, split.y_test)
    )
    nnloss.set_seed(seed)
    model = nnloss.compile_for_task(
        network(augment), nnloss.MULTICLASS, classes=len(split.classes), log=run
    )
    with nnloss.EpochProgress(title(augment)) as progress:
        model.fit(
            split.x_train,
            y_train,
            validation_data=(split.x_test, y_test),
            epochs=epochs,
            batch_size=batch,
            steps_per_epoch=steps_per_epoch(len(y_train), batch, augment),
            callbacks=[progress],
            verbose=0,
        )
    # Nothing is augmented outside fit.
    measured = {
        "train": model.evaluate(split.x_train, y_train, verbose=0, return_dict=True),
        "test": model.evaluate(split.x_test, y_test, verbose=0, return_dict=True),
    }
    return model.predict(split.x_test, batch_size=1000, verbose=0), measured


def title(augment: bool) -> str:
    """Return the display name of a network."""
    return "augmented network" if augment else "network"


# %% [markdown]
# ## How often is it wrong, and where?
#
# The confusion matrix counts images by actual and predicted class. Entries off its diagonal are
# mistakes; their share is the misclassification error. Each row divided by its sum shows how the
# images of one class are classified.


# %%
def by_class(matrices: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a table of the accuracy within each class, one column per model."""
    shares = {
        name: np.diag(counts) / counts.sum(axis=1).to_numpy() for name, counts in matrices.items()
    }
    classes = next(iter(matrices.values())).index
    return pd.DataFrame(
        {"class": classes} | {name: [f"{s:.3f}" for s in share] for name, share in shares.items()}
    )


def most_confused(
    split: nnloss.Split, probabilities: Array, counts: pd.DataFrame, pairs: int = 6, each: int = 8
) -> dict[str, Array]:
    """Return images of the most frequent mistakes, most confident predictions first."""
    wrong = counts.to_numpy().copy()
    np.fill_diagonal(wrong, 0)
    predicted = probabilities.argmax(axis=1)
    found = {}
    for place in np.argsort(-wrong, axis=None, kind="stable")[: min(pairs, np.sum(wrong > 0))]:
        actual, taken = divmod(int(place), len(split.classes))
        rows = np.flatnonzero((split.y_test == actual) & (predicted == taken))
        surest = rows[np.argsort(-probabilities[rows, taken], kind="stable")][:each]
        name = f"{split.classes[actual]}, taken for\n{split.classes[taken]}: {len(rows)}"
        found[name] = split.x_test[surest]
    return found


# %% [markdown]
# ## What does augmentation do?
#
# It shows the network different images in each epoch. The network can no longer memorise single
# images: it gets worse on the training images and better on new ones, and the gap between them
# shrinks.


# %%
def compare_augmentation(measured: dict[bool, dict[str, dict[str, float]]]) -> str:
    """Return a paragraph comparing the networks without and with augmentation."""
    plain, other = measured[False], measured[True]
    gaps = {
        key: {name: values["train"][name] - values["test"][name] for name in ("accuracy", "loss")}
        for key, values in measured.items()
    }
    change = other["test"]["accuracy"] - plain["test"]["accuracy"]
    return f"""
        On the training images as they are, accuracy is {plain["train"]["accuracy"]:.4f} without
        augmentation and {other["train"]["accuracy"]:.4f} with it; on the test images
        {plain["test"]["accuracy"]:.4f} and {other["test"]["accuracy"]:.4f}, a change of
        {change:+.4f}. The gap between training and test accuracy goes from
        {gaps[False]["accuracy"]:.4f} to {gaps[True]["accuracy"]:.4f}, that of the loss from
        {-gaps[False]["loss"]:.4f} to {-gaps[True]["loss"]:.4f}. The test loss goes from
        {plain["test"]["loss"]:.4f} to {other["test"]["loss"]:.4f}: it counts how sure the network
        is of what is wrong, which accuracy does not."""


# %% [markdown]
# ## Saving the results
#
# Tables and figures are saved in the run's folder, next to the record, the history and the model
# that `fit` saved there.


# %%
def save_results(
    run: nnloss.Run, split: nnloss.Split, probabilities: Array, matrices: dict[str, pd.DataFrame]
) -> None:
    """Write the confusion matrix, predictions and figures of a run."""
    name, counts = list(matrices.items())[-1]
    run.save_table("confusion_matrix", counts.rename_axis("actual").reset_index())
    predicted, classes = probabilities.argmax(axis=1), np.array(split.classes)
    run.save_table(
        "predictions",
        pd.DataFrame(
            {
                "row": split.rows_test,
                "actual": classes[split.y_test],
                "predicted": classes[predicted],
                "probability": probabilities.max(axis=1),
            }
        ).sort_values("row"),
    )
    history = pd.read_csv(run.folder / "history.csv")
    labels = {"loss": "categorical cross-entropy, nats", "accuracy": "accuracy"}
    run.save_figure("history", nnloss.plots.history(history, labels, linear=labels))
    both = {"softmax regression": matrices["softmax regression"], name: counts}
    run.save_figure("confusion_matrix", nnloss.plots.confusion_matrix(both, split.classes))
    mistakes = most_confused(split, probabilities, counts)
    if mistakes:
        run.save_figure(
            "most_confused",
            nnloss.plots.images(
                mistakes, title=f"The most frequent mistakes of the {name}, surest first"
            ),
        )


# %% [markdown]
# ## Putting it all together
#
# In a notebook, call `main(augment=True)` for the second question.


# %%
def main(
    seed: cli.Seed = 0,
    epochs: cli.Epochs = None,
    batch_size: cli.BatchSize = None,
    augment: cli.Augment = False,
    edition: cli.Edition = "2023",
    out: cli.Out = Path("runs"),
    data_dir: cli.DataDir = None,
    quick: cli.Quick = False,
) -> None:
    """Exercise 11.4: CIFAR-10 by softmax regression and by a convolutional network."""
    cli.require_folder(out)
    split = nnloss.load_cifar10(data_dir)
    if quick:
        split = split.head(QUICK_ROWS)

    heading("Exercise 11.4: CIFAR-10")
    paragraph(f"{split.sizes['train']:,} training and {split.sizes['test']:,} test images.")
    table(split.class_counts)
    paragraph("Fitting the softmax regression, which takes up to a minute.")
    start = time.perf_counter()
    classes, how = softmax_regression(split)
    seconds = {"softmax_regression": time.perf_counter() - start}
    matrices = {"softmax regression": confusion(split, classes)}
    known = {
        "edition": parse_edition(edition),
        "seed": seed,
        "quick": quick,
        "data": split.origin,
        "split": split.sizes,
        "baseline": {"softmax_regression": accuracy_and_error(matrices["softmax regression"])},
    }
    measured: dict[bool, dict[str, dict[str, float]]] = {}
    runs: dict[bool, nnloss.Run] = {}
    for augmented in (False, True) if augment else (False,):
        course = settings_of("cifar10", parse_edition(edition), augment=augmented)
        changes = {"augment": augmented, "augmentation": AUGMENTATION if augmented else {}}
        with nnloss.Run.start(out, "cifar10", seconds=seconds, **changes, **known) as runs[
            augmented
        ]:
            run = runs[augmented]
            run.save_figure("examples", some_images(split))
            probabilities, measured[augmented] = train(
                split,
                run,
                augmented,
                seed,
                epochs or (QUICK_EPOCHS if quick else course.epochs),
                batch_size or course.batch_size,
            )
            matrices[title(augmented)] = confusion(split, probabilities.argmax(axis=1))
            measured[augmented]["test"] |= accuracy_and_error(matrices[title(augmented)])
            run.update(metrics=measured[augmented])
            run.update(published=compare(run.record))
            save_results(run, split, probabilities, matrices)

    heading("How often is it wrong?")
    results = {name: accuracy_and_error(counts) for name, counts in matrices.items()}
    losses = {title(key): values["test"]["loss"] for key, values in measured.items()}
    table(
        pd.DataFrame(
            {
                "model": name,
                "test accuracy": f"{values['accuracy']:.4f}",
                "misclassification error": f"{values['misclassification_error']:.4f}",
                "test loss": f"{losses[name]:.4f}" if name in losses else "",
            }
            for name, values in results.items()
        )
    )
    taken = {title(key): run.record.seconds["fit"] for key, run in runs.items()}
    paragraph(
        f"The softmax regression was fitted in {seconds['softmax_regression']:.0f} s ({how}), the "
        + ", the ".join(f"{name} in {spent:.0f} s" for name, spent in taken.items())
        + "."
    )
    heading("In which classes?")
    table(by_class(matrices))
    if augment:
        heading("What does augmentation do?")
        paragraph(compare_augmentation(measured))
        histories = {
            title(key): pd.read_csv(run.folder / "history.csv") for key, run in runs.items()
        }
        ends = {
            title(key): (values["train"]["accuracy"], values["test"]["accuracy"])
            for key, values in measured.items()
        }
        figure = nnloss.plots.train_test_gap(histories, "accuracy", ends, label="accuracy")
        for run in runs.values():
            run.save_figure("train_test_gap", figure)
    for augmented, run in runs.items():
        heading(f"Our numbers and those of the course, edition {edition}: {title(augmented)}")
        course = settings_of("cifar10", parse_edition(edition), augment=augmented)
        numbers, remarks = comparison_table(run.record, course)
        if not numbers.empty:
            table(numbers)
        for each in remarks:
            paragraph(each)
    for run in runs.values():
        paragraph(f"Saved to {run.folder}")


if __name__ == "__main__":
    cli.run(main)
