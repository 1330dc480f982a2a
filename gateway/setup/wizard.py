"""`setup`: the whole way from an empty file to a gateway that polls, one question after another.

Straight on from top to bottom; a question whose answer is on record is passed over, and so a second start goes on where
the first was left. The configuration is written when everything was asked and `check` finds no fault, and not before.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console

from drivers.api import Profile
from drivers.scan import Options
from gateway import configuration
from gateway.setup import asking, keeping, polling, questions, showing
from gateway.setup.asking import Asker
from gateway.setup.broker import Brokers
from gateway.setup.found import Site
from gateway.setup.record import Record
from gateway.setup.stairs import Stairs
from gateway.setup.unit import Unit
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import FAINT, GOOD
from gateway.terminal.help import DONE, INTERRUPTED, NO
from gateway.terminal.words import Words

PLACE_KEYS = ("community", "grid", "microgrid")


@dataclass(frozen=True, slots=True)
class Task:
    """What was asked on the command line, and what the wizard works with."""

    output: Path
    options: Options
    profiles: dict[str, Profile]
    answers: Path | None = None
    hurried: bool = False


def run(task: Task, words: Words, console: Console, unit: Unit) -> int:
    """Play the wizard; return the exit code. Raises ToolError for what a person must mend first."""
    record = Record(task.output.with_name(f"{task.output.name}.setup"))
    try:
        with _hang_up_is_interrupt():
            return Wizard(task, record, words, console, unit).play()
    except (KeyboardInterrupt, asyncio.CancelledError):
        with contextlib.suppress(OSError):  # the terminal itself may be gone
            console.print(f"\n{words('setup.interrupted', file=record.path)}", markup=False, soft_wrap=True)
        return INTERRUPTED
    except OSError as error:
        raise ToolError("setup.file", file=error.filename or task.output, reason=error.strerror) from error


class Wizard:
    """One run of it."""

    def __init__(self, task: Task, record: Record, words: Words, console: Console, unit: Unit) -> None:
        self._task, self._record, self._words, self._console, self._unit = task, record, words, console, unit
        self._source: asking.Source = asking.Person(console, hurried=task.hurried)
        if task.answers is not None:
            self._source = asking.Script.read(task.answers, console)
        self._asker = Asker(self._source, record, words)

    def play(self) -> int:
        """Ask, look, write, show; return the exit code."""
        self._say("setup.welcome")
        if not self._may_write():
            self._say("setup.kept", file=self._task.output)
            return NO
        self._resume()
        installed = self._task.output == configuration.SYSTEM_FILE and self._unit.there
        stop = installed and self._unit.active and self._asker.once("stop", questions.yes, default="y") == "y"
        with self._unit.stopped(wanted=stop):
            site, password = self._site()
            self._source.asked_all()
            checked = keeping.write(self._task.output, site, password, self._task.profiles, self._words)
            if checked.config is None:
                showing.faults(checked, self._words, self._console)
                return NO
            self._record.clear()
            self._say("setup.written", FAINT, file=self._task.output)
            showing.warnings(checked, self._words, self._console)
            silent = self._poll(checked)
        self._finish(installed=installed)
        return NO if silent else DONE

    def _may_write(self) -> bool:
        """Say whether the file may be replaced: asked where somebody wrote one, not for the sample."""
        if not keeping.is_somebodys(self._task.output):
            return True
        return self._asker.once("replace", questions.yes, default="y" if self._task.hurried else "n",
                                file=self._task.output) == "y"  # fmt: skip

    def _resume(self) -> None:
        """Go on from what was answered before; a file of answers speaks for itself."""
        default = "n" if self._task.answers else "y"
        if self._record.load() and self._asker.once("resume", questions.yes, default=default) == "n":
            self._record.clear()

    def _site(self) -> tuple[Site, str]:
        """Ask for everything; return it and the broker's password."""
        ask = self._asker.ask
        name = ask("name", questions.needed)
        identity = ask("id", questions.identity, default=questions.suggested_id(socket.gethostname()) or None)
        place = {key: told for key in PLACE_KEYS if (told := ask(key, questions.text, default=""))}
        stairs = Stairs(self._asker, self._record, self._task.profiles, self._words, self._console)
        lines = stairs.lines(self._task.options)
        doors = [each for line in lines for each in line.devices if each.category == "door"]
        free = not doors or ask("free_doors", questions.yes, default="y") == "y"
        folder = self._task.output.parent
        mqtt, password = Brokers(self._asker, self._record, self._words, self._console, folder).ask(identity)
        state = keeping.state_dir(self._task.output)
        return Site(identity, name, {**place, "compound": name}, state, tuple(lines), mqtt, free), password

    def _poll(self, checked: configuration.Checked) -> set[str]:
        """Poll every device once and show it; return the names of those that did not answer."""
        assert checked.config is not None
        self._say("setup.polling", FAINT)
        heard = asyncio.run(polling.poll(checked.config, checked.profiles))
        showing.values(heard, self._words, self._console)
        return heard.silent

    def _finish(self, *, installed: bool) -> None:
        if not installed or self._asker.once("start", questions.yes, default="y") == "n":
            self._say("setup.by_hand", file=self._task.output)
            return
        self._unit.take_up()
        showing.status(self._task.output, self._words, self._console)
        self._say("setup.done", GOOD)

    def _say(self, key: str, style: str = "", **values: object) -> None:
        self._console.print(self._words(key, **values), style=style or None, markup=False, soft_wrap=True)


@contextlib.contextmanager
def _hang_up_is_interrupt() -> Iterator[None]:
    """Have a lost ssh connection and a `kill` end like Ctrl-C: a gateway that was stopped is started again."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def default_output() -> Path:
    """Return where the file goes when nobody says: the system's for root where the package is, else here."""
    installed = os.geteuid() == 0 and configuration.SYSTEM_FILE.parent.is_dir()
    return configuration.SYSTEM_FILE if installed else Path("gateway.toml")
