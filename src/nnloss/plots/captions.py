"""Captions of the figures of the exercises, by the name of the figure's file."""

from __future__ import annotations

CAPTIONS = {
    "examples": "Examples of the training rows by class.",
    "history": (
        "Loss and metric by epoch. Solid: training rows, averaged over the batches of each epoch "
        "while the weights change; dashed: test rows. Where the training loss still falls and the "
        "test loss does not, the network overfits."
    ),
    "predicted_vs_actual": (
        "Predicted against actual value of the test rows. On the dashed diagonal they are equal; "
        "the ring marks the worst row."
    ),
    "losses": (
        "Share of the worst test rows in the total error. Squaring lets few rows dominate; on the "
        "dashed line all errors are equal."
    ),
    "confusion_matrix": (
        "Test rows by actual and predicted class; the shade is the share of the actual class. Off "
        "the diagonal are mistakes."
    ),
    "roc_and_precision_recall": (
        "ROC and precision-recall curves on the test rows; below, the framed corners enlarged. "
        "Dotted: guessing. Where a class is rare, many false alarms hardly move the ROC curve but "
        "lower the precision."
    ),
    "all_models": (
        "ROC and precision-recall curves of all models on the test rows; below, the framed corners "
        "enlarged. Dotted: guessing."
    ),
    "most_confused": (
        "The most frequent mistakes, with their number among the test images; in each row the "
        "surest first."
    ),
    "train_test_gap": (
        "Accuracy by epoch without and with augmentation. The black bar is the gap: from the test "
        "images to the training images as they are (star)."
    ),
    "twins": (
        "Coefficients of the GLM of each pair (outlines) and of the network without hidden layer "
        "(dots), on the standardised features of Boston Housing. An arrow marks an intercept "
        "beyond the axis."
    ),
    "gradients": (
        "Gradient of BCE and of MSE in the logit of a sigmoid output, for a row of class 1. Where "
        "the network is sure and wrong (left), BCE still pulls with p - y; the gradient of MSE "
        "vanishes."
    ),
    "pitfalls": (
        "Test error on Wafer (log scale) of networks with different pairings. Left: median over "
        "the seeds by epoch; right: a dot for each seed after the last epoch, with their median. "
        "Sigmoid + BCE is in every row as the reference."
    ),
    "landscape": (
        "Training MSE on Boston Housing (one log scale) on a plane through the weights (cross), in "
        "two random directions. Least squares is a bowl; the network's surface changes while it "
        "learns, and is not convex."
    ),
    "one_parameter": (
        "Training MSE minus its minimum along one parameter, the others held at the stages named "
        "at the lines. In least squares the same bowl moves; in the network the curve itself "
        "changes. Rings mark minima."
    ),
    "hidden_states": (
        "Activations of the last hidden layer (share of the maximum of each unit) for the test "
        "districts in order of their price; right, the correlation of each unit with the price. No "
        "unit has a target, yet many follow it."
    ),
    "feature_map": (
        "Mean activations of the last convolution for the test series of each class of Wafer, and "
        "their difference; below, the mean over the filters. The network has found where in the "
        "series the classes differ."
    ),
}
