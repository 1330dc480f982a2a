"""Asks one question after another, of a person or of a file of answers, and keeps what was said.

Every question has a key. What the record knows is not asked again; a file of answers gives a text for a key or for
what stands before its colon ("place:/dev/rs485/a:7" is asked as "place" too), or a list that is used up one by one, and
where it says nothing the default is taken.
"""

import getpass
import sys
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Protocol

from rich.console import Console
from rich.markup import escape

from gateway.setup.questions import WrongError
from gateway.setup.record import Record
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import FAINT, WARN
from gateway.terminal.words import Words

Check = Callable[[str], str]

QUESTIONS: Final = (
    "name", "id", "community", "grid", "microgrid", "lines", "again", "line", "product", "place", "called",
    "free_doors", "broker", "username", "password", "ca_file", "cert_file", "key_file", "refused", "replace",
    "resume", "stop", "start",
)  # fmt: skip
"""What a file of answers may speak of; `setup --help` lists them."""


class Source(Protocol):
    """Whoever answers."""

    def answer(self, key: str, prompt: str, default: str | None, *, secret: bool) -> str:
        """Return what is said to a question; nothing stands for the default."""

    def refused(self, key: str, told: str, reason: str) -> None:
        """Hear why that will not do; ToolError if no other answer can be had."""

    def asked_all(self) -> None:
        """Hear that nothing more is asked of the site; ToolError for answers that nobody asked for."""


class Person:
    """Somebody at a terminal, or a pipe that speaks like one. With `hurried` what has a default is not asked."""

    def __init__(self, console: Console, *, hurried: bool = False) -> None:
        self._console, self._hurried = console, hurried

    def answer(self, key: str, prompt: str, default: str | None, *, secret: bool) -> str:
        """Ask, and return what was typed."""
        if self._hurried and default is not None:
            return ""
        shown = f" [bold]\\[{escape(default)}][/]" if default else ""
        self._console.print(f"{escape(prompt)}{shown} ", end="", soft_wrap=True)
        try:
            told = getpass.getpass("") if secret and sys.stdin.isatty() else input()
        except (EOFError, UnicodeDecodeError) as error:
            raise ToolError("setup.ended", question=prompt) from error
        return told.strip()

    def refused(self, key: str, told: str, reason: str) -> None:
        """Say why, and ask again."""
        self._console.print(f"  {reason}", style=WARN, markup=False, soft_wrap=True)

    def asked_all(self) -> None:
        """A person says nothing unasked."""


class Script:
    """A file of answers."""

    def __init__(self, answers: Mapping[str, object], console: Console) -> None:
        self._answers = {
            key: list(map(str, value)) if isinstance(value, list) else value for key, value in answers.items()
        }
        self._console = console

    @classmethod
    def read(cls, path: Path, console: Console) -> "Script":
        """Return the answers of a TOML file; ToolError if it is none, or answers what is never asked."""
        try:
            answers = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise ToolError("setup.answers", file=path, reason=error) from error
        for key in answers:
            if key.partition(":")[0] not in QUESTIONS:
                close = " ".join(get_close_matches(key, QUESTIONS, n=1) or QUESTIONS)
                raise ToolError("setup.no_question", file=path, told=key, close=close)
        return cls(answers, console)

    def answer(self, key: str, prompt: str, default: str | None, *, secret: bool) -> str:
        """Return what the file says; ToolError where it must say something and does not."""
        told = self._said(key)
        if told is None and default is None:
            raise ToolError("setup.unanswered", what=key, question=prompt)
        shown = "***" if secret else told or default or ""
        self._console.print(f"{prompt} {shown}", style=FAINT, markup=False, soft_wrap=True)
        return told or ""

    def refused(self, key: str, told: str, reason: str) -> None:
        """Nobody is there to ask again."""
        raise ToolError("setup.answer_refused", what=key, told=told, reason=reason)

    def asked_all(self) -> None:
        """What is left of a list was for a device or a line that was not found: all others may have moved by one."""
        for key, value in self._answers.items():
            if isinstance(value, list) and (left := " ".join(filter(None, value))):
                raise ToolError("setup.left_over", what=key, left=left)

    def _said(self, key: str) -> str | None:
        for name in (key, key.partition(":")[0]):
            value = self._answers.get(name)
            if isinstance(value, list):
                return value.pop(0) if value else None
            if value is not None:
                return str(value)
        return None


class Asker:
    """Asks, checks, keeps."""

    def __init__(self, source: Source, record: Record, words: Words) -> None:
        self._source, self._record, self._words = source, record, words

    def ask(
        self, key: str, check: Check, *, default: str | None = None, question: str = "", **values: object
    ) -> str:
        """Return the answer to a question, from the record or from whoever answers.

        The words are those under setup.<question>, or under the key's first part; without a default it has to be said.
        """
        if (known := self._record.answer(key)) is not None:
            return known
        told = self.once(key, check, default=default, question=question, secret=False, **values)
        self._record.keep(key, told)
        return told

    def once(
        self, key: str, check: Check, *, default: str | None = None, question: str = "",
        secret: bool = False, **values: object,
    ) -> str:  # fmt: skip
        """Return the answer to a question that is asked each time, and kept nowhere."""
        prompt = self._words(f"setup.{question or key.partition(':')[0]}", **values)
        while True:
            told = self._source.answer(key, prompt, default, secret=secret) or default or ""
            try:
                return check(told)
            except WrongError as error:
                reason = self._words(error.key, **error.values)
                self._source.refused(key, "***" if secret else told, reason)
