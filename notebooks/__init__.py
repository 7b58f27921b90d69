"""The labs as executed notebooks, made by ``python -m notebooks`` and never edited."""
