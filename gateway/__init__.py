"""compound-gateway: the box on the wall of an old residential compound."""

__version__ = "0.1.0"
