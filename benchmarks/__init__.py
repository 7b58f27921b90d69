"""Speed and memory compared with a plain translation of the course's scripts."""
