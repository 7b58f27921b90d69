"""Speed and memory, measured against the plain translation of the course's scripts."""
