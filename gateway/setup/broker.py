"""The broker: where it is, who we are there, and whether it takes us, asked until it does or a person has enough."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from rich.console import Console

from gateway.core.config import MqttTable
from gateway.setup import questions, trying
from gateway.setup.asking import Asker
from gateway.setup.questions import WrongError
from gateway.setup.record import Record
from gateway.terminal.figures import BAD, FAINT, GOOD
from gateway.terminal.words import Words

KEYS = ("broker", "username", "ca_file", "cert_file", "key_file")
PASSWORD_FILE = "mqtt-password"  # noqa: S105  # the name of a file
FILES = ("ca_file", "cert_file", "key_file")


class Brokers:
    """Asks for the broker and tries it. `folder` is the configuration's, beside which files are looked for."""

    def __init__(self, asker: Asker, record: Record, words: Words, console: Console, folder: Path) -> None:
        self._asker, self._record, self._words = asker, record, words
        self._console, self._folder = console, folder

    def ask(self, identity: str) -> tuple[dict[str, str], str]:
        """Return the keys of [mqtt], none where there is no broker, and the password, which is in no record."""
        given: dict[str, str] = {}
        password: str | None = None
        while True:
            given = self._given(given)
            if not given:
                return {}, ""
            if password is None:
                password = self._password(given)
            tried = self._tried(identity, given, password)
            if tried.good:
                return self._table(given, password), password
            what = self._asker.once("refused", questions.after_refusal, default="keep")
            if what == "keep":
                return self._table(given, password), password
            if what == "change":
                self._record.forget(*KEYS)
                password = None

    def _given(self, before: Mapping[str, str]) -> dict[str, str]:
        ask = self._asker.ask
        url = ask("broker", questions.broker, default=before.get("url", ""))
        if not url:
            return {}
        given = {"url": url, "username": ask("username", questions.text, default=before.get("username", ""))}
        encrypted = url.startswith(("mqtts://", "wss://"))
        for key in FILES if encrypted else ():
            if key == "key_file" and not given["cert_file"]:
                continue
            given[key] = ask(key, self._file, default=before.get(key, ""))
        return {key: told for key, told in given.items() if told}

    def _password(self, given: Mapping[str, str]) -> str:
        """Return the password, asked for a user; nothing typed is the one in the file, if there is one."""
        if "username" not in given:
            return ""
        kept = ""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            kept = (self._folder / PASSWORD_FILE).read_text(encoding="utf-8").strip()
        question = "password_again" if kept else "password"
        told = self._asker.once("password", _secret, default="", question=question, secret=True)
        return told or kept

    def _tried(self, identity: str, given: Mapping[str, str], password: str) -> trying.Tried:
        self._console.print(self._words("setup.trying", url=given["url"]), style=FAINT, markup=False)
        table = msgspec.convert({key: self._path(key, told) for key, told in given.items()}, MqttTable)
        tried = trying.attempt(identity, table, password or None)
        told = self._words(f"setup.broker_{tried.reason}")
        detail = f" ({tried.detail})" if tried.detail else ""
        style, mark = (GOOD, "✓") if tried.good else (BAD, "✗")
        self._console.print(f"{mark} {told}{detail}", style=style, markup=False, soft_wrap=True)
        return tried

    def _table(self, given: Mapping[str, str], password: str) -> dict[str, str]:
        return {**given, **({"password_file": PASSWORD_FILE} if password else {})}

    def _path(self, key: str, told: str) -> str:
        return str(self._folder.absolute() / told) if key in FILES else told

    def _file(self, told: str) -> str:
        """Return a file's name, which counts from the configuration's folder as it will there; it must be there."""
        if told and not (self._folder.absolute() / told).is_file():
            raise WrongError("setup.wrong_file", file=self._folder.absolute() / told)
        return questions.path(told)


def _secret(told: str) -> str:
    """Return a password: one line."""
    if not told.isprintable():
        raise WrongError("setup.wrong_empty")
    return told
