"""Assets: one thing made of several devices, and the points derived from theirs. Pure; see network.py."""
