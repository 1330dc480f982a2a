"""The answers so far, in a file beside the configuration: whoever is called away goes on where they were.

No secret is in it. It is written anew after every answer, whole or not at all, and goes when the work is done.
"""

from pathlib import Path

import msgspec

from gateway.runtime.whole_file import replace
from gateway.setup.found import Line


class Kept(msgspec.Struct):
    """What the file holds."""

    answers: dict[str, str] = {}
    lines: dict[str, Line] = {}


class Record:
    """Answers by question and lines by port, kept as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept = Kept()

    def load(self) -> bool:
        """Take up what is there; say whether anything was. What cannot be read counts as nothing."""
        try:
            self._kept = msgspec.json.decode(self.path.read_bytes(), type=Kept)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return False
        return bool(self._kept.answers)

    def clear(self) -> None:
        """Forget everything, the file too."""
        self._kept = Kept()
        self.path.unlink(missing_ok=True)

    def answer(self, key: str) -> str | None:
        """Return what was answered, or None."""
        return self._kept.answers.get(key)

    def keep(self, key: str, answer: str) -> None:
        """Keep an answer."""
        self._kept.answers[key] = answer
        self._save()

    def forget(self, *keys: str) -> None:
        """Have these questions asked again."""
        for key in keys:
            self._kept.answers.pop(key, None)
        self._save()

    def line(self, port: str) -> Line | None:
        """Return what was found on a port, or None where nobody looked yet."""
        return self._kept.lines.get(port)

    def found(self, line: Line) -> None:
        """Keep what was found on a port."""
        self._kept.lines[line.port] = line
        self._save()

    def _save(self) -> None:
        replace(self.path, msgspec.json.encode(self._kept))
