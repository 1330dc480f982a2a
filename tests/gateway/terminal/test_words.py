"""Both languages say everything, and everything that is asked for is there."""

import re
from pathlib import Path
from string import Formatter

import pytest

from gateway.terminal.words import LANGUAGES, Words, from_locale, table

TERMINAL = Path(__file__).parents[3] / "gateway"
TABLE = table()


@pytest.mark.parametrize("key", TABLE)
def test_every_word_is_said_in_both_languages_with_the_same_values(key: str) -> None:
    assert set(TABLE[key]) == set(LANGUAGES)
    fields = [{name for _, name, _, _ in Formatter().parse(TABLE[key][each]) if name} for each in LANGUAGES]
    assert fields[0] == fields[1]
    assert all(TABLE[key].values())


def asked_for() -> set[str]:
    """Return every key that stands as a literal in the code."""
    groups = {key.partition(".")[0] for key in TABLE}
    text = "\n".join(file.read_text(encoding="utf-8") for file in TERMINAL.rglob("*.py"))
    found = re.findall(r'(?:words|_words|ToolError|told|help=)\(?\(?"([a-z_]+\.[a-z_0-9A-Z]+)"', text)
    return {key for key in found if key.partition(".")[0] in groups}


def test_every_word_the_code_asks_for_is_there() -> None:
    assert len(asked_for()) > 40
    assert asked_for() <= set(TABLE)


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    ],
)
def test_the_locale_chooses_the_language(environ: dict[str, str], language: str) -> None:
    assert from_locale(environ) == language


def test_values_are_filled_in() -> None:
    assert Words("en")("age.minutes", m=3) == "3 min"
    assert Words("zh")("age.minutes", m=3) == "3 分"
