"""The judge: whether output, loss, metrics and targets fit each other.

`check_pairing` reports its answer, `compile_for_task` acts on it. Works on every backend of Keras.
Imports `nnloss.table`, `nnloss.errors` and Keras.
"""
