"""`compound-gateway vision` called as from a shell, and the model that ships made easy or hard to convince."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.cli import cli

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "falling-object"
ENGLISH = {"LC_ALL": "C.UTF-8"}
CHINESE = {"LC_ALL": "zh_CN.UTF-8"}


def run(*arguments: object, env: Mapping[str, str] = ENGLISH) -> Result:
    return CliRunner().invoke(cli, ["vision", *map(str, arguments)], env=env)


def falls(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def model(folder: Path, threshold: float) -> Path:
    """Return a folder with the model that ships, which takes for a fall what scores at least that much."""
    shutil.copytree(MODEL, folder / MODEL.name)
    card = folder / MODEL.name / "model.toml"
    text = card.read_text(encoding="utf-8")
    card.write_text(re.sub(r"(?m)^threshold = .*$", f"threshold = {threshold}", text), encoding="utf-8")
    return folder
