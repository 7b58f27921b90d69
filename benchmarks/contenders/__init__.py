"""Training scripts to measure. Arguments: exercise, file of arrays, epochs, rows."""
