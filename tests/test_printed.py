"""The course's training logs and confusion matrices, and verdicts on them as a whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nnloss import DataError
from nnloss.course.printed_tables import NETWORKS, confusion_matrices, training_logs
from nnloss.course.published import PUBLISHED
from nnloss.reproduction import printed

OBJECTS = "airplane automobile bird cat deer dog frog horse ship truck".split()


def published(name, edition, metric):
    network = NETWORKS[name]
    (number,) = (
        each.value
        for each in PUBLISHED
        if (each.exercise, each.edition, each.augment)
        == (network.exercise, edition, network.augment)
        and each.metric == metric
    )
    return number


def test_the_logs_end_at_the_published_numbers():
    logs = training_logs()
    assert len(logs) == 8
    assert sum(log.size for log in logs.values()) == 4 * 2 * (100 + 20 + 20 + 100)
    for (name, edition), log in logs.items():
        last = log.iloc[-1]
        loss = "val_mean_squared_error" if name == "boston" else "val_loss"
        assert last["val_loss"] == pytest.approx(published(name, edition, loss), abs=5.1e-5)
        metric = f"val_{NETWORKS[name].metric}"
        assert last["val_metric"] == pytest.approx(published(name, edition, metric), abs=5.1e-5)


def test_the_matrices_have_the_published_accuracies():
    matrices = confusion_matrices()
    assert len(matrices) == 6
    for (name, edition), counts in matrices.items():
        assert counts.sum(axis=1).tolist() == [1000] * 10  # test images of each class
        share = np.trace(counts) / 10_000
        assert share == pytest.approx(published(name, edition, "val_accuracy"), abs=5e-5)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda table: table.drop(index=5), "epoch 6 is missing for boston, 2024"),
        (lambda table: pd.concat([table, table[:1]]), "an epoch is there twice for boston, 2024"),
        (lambda table: table.replace({"network": {"wafer": "mnist"}}), "found mnist, 2024"),
        (lambda table: table.replace({"edition": {"2024": "1999"}}), "found boston, 1999"),
        (
            lambda table: table.assign(loss=table["loss"].where(table.index != 3)),
            "a value is missing",
        ),
        (lambda table: table.drop(columns="val_loss"), "found the columns edition, network, epoch"),
    ],
    ids=["epoch", "twice", "network", "edition", "value", "column"],
)
def test_a_damaged_log_is_refused(change, found, tmp_path):
    table = pd.read_csv(printed.printed_tables._HOME / "training_logs.csv")
    change(table).to_csv(tmp_path / "logs.csv", index=False)
    with pytest.raises(DataError) as caught:
        training_logs(tmp_path / "logs.csv")
    assert caught.value.rule == "The training logs in 'logs.csv' must be complete"
    assert found in caught.value.found
    assert caught.value.remedy


def test_a_matrix_without_a_cell_is_refused(tmp_path):
    table = pd.read_csv(printed.printed_tables._HOME / "confusion_matrices.csv")
    table.drop(index=7).to_csv(tmp_path / "matrices.csv", index=False)
    with pytest.raises(DataError, match=r"found 99 cells for cifar10, 2023\. Give 10 by 10"):
        confusion_matrices(tmp_path / "matrices.csv")


def curves(name, edition, n, shift=0.0, epochs=None):
    """Make curves of n seeds around a printed log."""
    network, log = NETWORKS[name], training_logs()[name, edition]
    settings, random = network.settings(edition), np.random.default_rng(n)
    log = log.loc[epochs or log.index]
    parts = []
    for seed in range(n):
        part = log * random.normal(1, 0.05, log.shape) + shift * log.abs()
        part.columns = ["train_loss", network.metric, "val_loss", f"val_{network.metric}"]
        parts.append(part.reset_index().assign(seed=seed))
    return pd.concat(parts, ignore_index=True).assign(
        exercise=network.exercise, loss=network.loss, augment=network.augment,
        epochs=settings.epochs, batch_size=settings.batch_size,
    )  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_a_log_among_ours_is_typical(name):
    table = printed.log_verdicts(printed.logs(curves(name, 2024, 40), editions=[2024]))
    (row,) = (row for _, row in table.iterrows() if row["network"] == name)
    assert (row["verdict"], row["n"], row["outside"]) == ("typical", 40, "")
    assert row["points"] == 4 * NETWORKS[name].settings(2024).epochs
    assert row["level"] == pytest.approx(2 / 41)


def test_a_log_away_from_ours_is_unusual():
    made = curves("boston", 2024, 40)
    made.loc[made["epoch"] > 50, "train_loss"] += 5
    (row,) = printed.log_verdicts(printed.logs(made, editions=[2024])).to_dict("records")
    assert (row["verdict"], row["outside"]) == ("unusual", "training loss in 50 epochs")
    assert row["p"] <= row["level"]


def test_few_seeds_are_undecided_and_other_editions_left_out():
    table = printed.log_verdicts(printed.logs(curves("wafer", 2024, 18, shift=9.0)))
    assert list(table["edition"]) == [2024, "2024-pdf"]  # 2023 printed none
    assert set(table["verdict"]) == {"undecided"}
    assert printed.log_verdicts(printed.logs(curves("wafer", 2024, 5), editions=[2023])).empty
    assert printed.log_verdicts(printed.logs(pd.DataFrame())).empty
    assert list(printed.log_verdicts(printed.logs(pd.DataFrame())).columns) == printed.LOG_COLUMNS


def test_only_epochs_of_both_are_compared_and_diverged_seeds_left_out():
    made = curves("wafer", 2024, 25, epochs=list(range(10, 101, 10)))
    made.loc[(made["seed"] == 3) & (made["epoch"] == 50), "val_loss"] = np.nan
    row = printed.log_verdicts(printed.logs(made, editions=[2024])).iloc[0]
    assert (row["points"], row["n"]) == (40, 24)


def test_ours_are_rounded_as_the_course_printed():
    values = np.array([588.8146, 23.34256, 0.123449, 0.99684999, 0.01234, 0.005679, 1.88481e-05])
    expected = [588.8, 23.34, 0.1234, 0.9968, 0.0123, 0.0057, 1.885e-05]
    assert printed._as_printed(values).tolist() == expected


def test_a_log_beside_seeds_that_all_diverged_is_undecided():
    made = curves("wafer", 2024, 25)
    made["val_loss"] = np.nan
    (row, _) = printed.log_verdicts(printed.logs(made)).to_dict("records")
    assert (row["verdict"], row["n"], row["outside"]) == ("undecided", 0, "")


def confusion(edition, n, change=None):
    """Make matrices of n seeds whose classes are mistaken as often as the course's."""
    counts, random = confusion_matrices()["cifar10", edition], np.random.default_rng(n)
    shares = counts.to_numpy() / 1000
    settings = NETWORKS["cifar10"].settings(edition)
    parts = []
    for seed in range(n):
        drawn = random.multinomial(1000, change(shares) if change else shares)
        frame = pd.DataFrame(drawn, OBJECTS, OBJECTS).rename_axis("actual").reset_index()
        parts.append(
            frame.melt("actual", var_name="predicted", value_name="count").assign(seed=seed)
        )
    return pd.concat(parts).assign(
        exercise="cifar10", loss="categorical_crossentropy", augment=False,
        epochs=settings.epochs, batch_size=settings.batch_size,
    )  # fmt: skip


def test_a_matrix_among_ours_is_typical():
    table = printed.matrix_verdicts(confusion(2023, 30))
    (row,) = table.to_dict("records")  # the batch size is that of 2023 alone
    assert (row["edition"], row["network"], row["n"]) == (2023, "cifar10", 30)
    assert row["verdict"] == "typical"
    assert row["p"] == pytest.approx(row["rank"] / 31)


def test_a_matrix_away_from_ours_is_unusual_and_its_cells_are_named():
    def half_the_mistakes(shares):
        return (shares + np.eye(10)) / 2

    table = printed.matrix_verdicts(confusion(2023, 30, half_the_mistakes), cells=2)
    (row,) = table.to_dict("records")
    assert (row["verdict"], row["rank"]) == ("unusual", 1)
    counts = confusion_matrices()["cifar10", 2023]
    first, second = row["cells"].split("; ")
    actual, predicted = (OBJECTS.index(name) for name in first.split()[:3:2])
    assert f" {counts.loc[actual, predicted]}, ours " in first
    assert first.endswith(" sd)")
    assert second != first
    assert printed.matrix_verdicts(pd.DataFrame()).empty
