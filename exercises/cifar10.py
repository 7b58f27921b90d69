# %% [markdown]
# # Exercise 11.4: what is in the picture?
#
# Ten classes and 60,000 colour images of 32 x 32 pixels: a multi-class classification problem. The
# classical method is multinomial logistic regression on the pixels. A convolutional network adds
# layers before it that combine neighbouring pixels, and keeps the rest: softmax and categorical
# cross-entropy, which is the negative log-likelihood of a multinomial distribution.
#
# As a command this lab is `python -m exercises.cifar10`; `--help` lists its options. In a notebook
# they are the argument `notebook` of the first cell.

# %%
"""Exercise 11.4: classify CIFAR-10 by softmax regression and by a convolutional network."""

import time

import pandas as pd

import nnloss
from nnloss import plots
from nnloss.course import cifar10
from nnloss.course.confusion import confusion
from nnloss.course.layers import layer_table

lab = nnloss.lab(__name__, "cifar10", augment=True, notebook="--augment")

# %% [markdown]
# ## Load the data and look at them
#
# All classes have equally many images, nearly so in a quick run: accuracy is a fair measure, and
# guessing gets one in ten right.

# %%
split = nnloss.load_cifar10(lab.data_dir)
if lab.quick:
    split = split.head(cifar10.QUICK_ROWS)
lab.show(split.class_counts)
sizes = split.sizes
lab.show(f"The data have {sizes['train']:,} training and {sizes['test']:,} test images.")
first = {name: split.x_train[split.y_train == k][:10] for k, name in enumerate(split.classes)}
lab.show(plots.images(first), "examples", "The first training images of each class.")

# %% [markdown]
# ## The classical model first
#
# A softmax regression has one coefficient per pixel, colour and class, and one intercept per class:
# 30,730 parameters. It is a network without hidden layers. Pixels are divided by 255 and centred at
# the mean image. Centring changes only the intercepts, but without it L-BFGS takes many times as
# long. With a small ridge penalty it converges in about 50 steps.

# %%
lab.show("The softmax regression is being fitted, which takes up to a minute.")
start = time.perf_counter()
predicted, how = cifar10.softmax_regression(split)
seconds = {"softmax_regression": time.perf_counter() - start}
matrices = {"softmax regression": confusion(split, predicted)}
judged = {"softmax regression": cifar10.accuracy_and_error(matrices["softmax regression"])}
lab.show(
    f"""The softmax regression was fitted in {seconds["softmax_regression"]:.0f} s ({how}). It is
    right for {judged["softmax regression"]["accuracy"]:.1%} of the test images."""
)

# %% [markdown]
# ## Define, compile and fit the network
#
# How many output nodes are needed, and which loss? There is one node per class. Each image shows
# exactly one class, so the ten outputs must be probabilities that sum to 1: softmax. The loss is
# categorical cross-entropy on one-hot labels. `compile_for_task` adds both; the network has only
# hidden layers. Its first layer divides by 255, so that the images are stored as bytes. In Keras
# alone one would add `Dense(10, "softmax")` and write `model.compile("adam",
# loss="categorical_crossentropy", metrics=["accuracy"])`. The test loss is computed after each
# epoch, but nothing is chosen by it.
#
# The second network is trained on augmented images. A slightly rotated, shifted or mirrored image
# shows the same object. A layer of the network draws a new random change for each image in each
# epoch, in training only. It rotates and shifts in one step, as the course did: two steps would
# blur the image twice.

# %%
classes = len(split.classes)
y_train, y_test = (
    nnloss.encode(y, nnloss.MULTICLASS, classes) for y in (split.y_train, split.y_test)
)
networks = {"network": False} | ({"augmented network": True} if lab.augment else {})
baseline = {"softmax_regression": judged["softmax regression"]}
probabilities, measured = {}, {}
for title, augment in networks.items():
    settings = lab.settings(cifar10.QUICK_EPOCHS, augment=augment)
    known = {"augment": augment, "augmentation": cifar10.AUGMENTATION if augment else {}}
    with lab.run(title, split, baseline=baseline, seconds=seconds, **known) as run:
        nnloss.set_seed(lab.seed)
        body = cifar10.network(augment)
        model = nnloss.compile_for_task(body, nnloss.MULTICLASS, classes=classes, log=run)
        model.fit(
            split.x_train,
            y_train,
            validation_data=(split.x_test, y_test),
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            steps_per_epoch=cifar10.steps_per_epoch(len(y_train), settings.batch_size, augment),
            callbacks=[lab.progress],
            verbose=0,
        )
        measured[title] = {
            "train": model.evaluate(split.x_train, y_train, verbose=0, return_dict=True),
            "test": model.evaluate(split.x_test, y_test, verbose=0, return_dict=True),
        }
        probabilities[title] = model.predict(split.x_test, batch_size=1000, verbose=0)
        matrices[title] = confusion(split, probabilities[title].argmax(axis=1))
        judged[title] = cifar10.accuracy_and_error(matrices[title])
        measured[title]["test"] |= judged[title]
        run.update(metrics=measured[title])
    lab.show(layer_table(model), caption=title)
    lab.show(f"The {title} was trained in {run.record.seconds['fit']:.0f} s.")

# %% [markdown]
# ## Plot the training

# %%
curves = {"loss": "categorical cross-entropy, nats", "accuracy": "accuracy"}
histories = {t: pd.read_csv(run.folder / "history.csv") for t, run in lab.runs.items()}
for title, history in histories.items():
    lab.show(plots.history(history, curves, linear=curves), "history", run=title)

# %% [markdown]
# ## Evaluate: how often is each model wrong, and where?
#
# The confusion matrix counts images by actual and predicted class. Entries off its diagonal are
# mistakes; their share, (sum of all - sum of the diagonal) / sum of all, is the misclassification
# error.

# %%
losses = {title: values["test"]["loss"] for title, values in measured.items()}
lab.show(cifar10.result_table(judged, losses))
lab.show(cifar10.table_by_class(matrices))
for title, run in lab.runs.items():
    counts = matrices[title]
    run.save_table("confusion_matrix", counts.rename_axis("actual").reset_index())
    run.save_table("predictions", cifar10.prediction_table(split, probabilities[title]))
    both = {"softmax regression": matrices["softmax regression"], title: counts}
    lab.show(plots.confusion_matrix(both, split.classes), "confusion_matrix", run=title)
    mistakes = cifar10.most_confused(split, probabilities[title], counts)
    if mistakes:
        figure = plots.images(mistakes, title=f"The most frequent mistakes of the {title}")
        lab.show(figure, "most_confused", run=title)

# %% [markdown]
# ## What does augmentation do?
#
# It shows the network different images in each epoch, so it is harder to memorise single images.
# After enough epochs the network is usually worse on the training images and better on new ones:
# it overfits less, and the gap between them shrinks.

# %%
if lab.augment:
    ends = {
        title: (values["train"]["accuracy"], values["test"]["accuracy"])
        for title, values in measured.items()
    }
    lab.show(cifar10.gap_table(measured))
    lab.show(
        """The loss of an image is -ln of the probability of its class, so confident mistakes cost
        most; accuracy counts all mistakes alike."""
    )
    figure = plots.train_test_gap(histories, "accuracy", ends, label="accuracy")
    lab.show(figure, "train_test_gap")

# %% [markdown]
# ## Compare with the course

# %%
lab.compare()
if lab.augment:
    lab.close(figure="train_test_gap", command="python -m exercises.losses")
else:
    lab.close(figure="most_confused", command="python -m exercises.cifar10 --augment")
