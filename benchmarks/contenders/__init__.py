"""Trainings that are measured, each a script: exercise, file of arrays, epochs, rows."""
