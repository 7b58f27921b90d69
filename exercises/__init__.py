"""Exercises of the course, and three commands: ``python -m exercises`` lists them."""
