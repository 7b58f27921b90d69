"""Why the pairs are what they are, and what goes wrong otherwise, in numbers."""
