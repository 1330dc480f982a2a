"""Words for people at a terminal, Chinese or English by locale, all from words.toml."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Protocol

LANGUAGES = ("zh", "en")


class Bilingual(Protocol):
    """Something said in both languages."""

    @property
    def zh(self) -> str:
        """The Chinese words."""

    @property
    def en(self) -> str:
        """The English words."""


def table() -> dict[str, dict[str, str]]:
    """Return all words: key -> language -> words."""
    text = resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    groups = tomllib.loads(text)
    return {f"{group}.{key}": words for group, keys in groups.items() for key, words in keys.items()}


def from_locale(environ: Mapping[str, str]) -> str:
    """Return the language the environment asks for (POSIX: LC_ALL before LC_MESSAGES before LANG)."""
    asked = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "zh" if asked.startswith("zh") else "en"


class Words:
    """The words of one language. Reads them when the first is asked for."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._table: dict[str, dict[str, str]] = {}

    def __call__(self, key: str, **values: object) -> str:
        """Return the words under `key`, like "status.title", with `values` filled in."""
        if not self._table:
            self._table = table()
        words = self._table[key][self.language]
        return words.format(**values) if values else words

    def __contains__(self, key: str) -> bool:
        if not self._table:
            self._table = table()
        return key in self._table

    def of(self, text: Bilingual) -> str:
        """Return the words of a text that carries both languages."""
        return text.zh if self.language == "zh" else text.en
