"""Exercises of the course, one module each: ``python -m exercises.boston``."""
