"""Tests of what is installed beside the program: unit, rules, package; `real.py` boots a whole Debian for it."""
