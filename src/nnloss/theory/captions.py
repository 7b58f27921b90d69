"""Captions of the figures."""

_TEXTS = {
    "twins": """Coefficients of each generalised linear model (rings) and of the network without
        hidden layer that has the same output activation and loss (dots), on the standardised
        features of Boston Housing.""",
    "gradients": """Gradient of binary cross-entropy (BCE) and of mean squared error (MSE) in the
        logit of a sigmoid output, for a row of class 1. On the left the network is sure and wrong:
        the gradient of BCE is -1 there, that of MSE vanishes.""",
    "pitfalls": """Test error on Wafer by epoch of each output activation and loss, trained from
        several seeds: median, worst and best seed. In the sure start the output bias predicts
        "normal" for each series before the first step.""",
    "landscape": """Training MSE on Boston Housing on a plane through the weights, in two random
        directions that are scaled to the weights. Least squares is a quadratic bowl, the network is
        not, and it changes from epoch to epoch.""",
    "one_parameter": """Training MSE along one parameter of LSTAT, the share of the population of
        lower status. In least squares the curve keeps its shape wherever the other coefficients
        are; in the network each epoch has another curve.""",
    "hidden_states": """Activations of the last hidden layer for the test districts, in order of
        their price. No target was given for these units; the network has inferred them.""",
    "feature_map": """Mean activations of the last convolution for the test series of each class of
        Wafer, and their difference.""",
}

#: Caption by name of the figure.
CAPTIONS = {name: " ".join(text.split()) for name, text in _TEXTS.items()}
