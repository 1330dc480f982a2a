"""Where models lie: beside the package in an installation, at the top of a checkout. Loads no library."""

from pathlib import Path

MODEL = "falling-object"
HOMES = (Path(__file__).parents[1] / "models", Path(__file__).parents[2] / "models")
