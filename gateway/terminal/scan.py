"""`scan`: a progress bar, devices as they appear, and in the end a piece of gateway.toml ready to paste.

Progress goes to standard error, what was found to standard output: `scan PORT >> gateway.toml` works.
"""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from drivers import scan as scanning
from drivers.scan import Found, Noise, Setting
from gateway.terminal.figures import FAINT, GOOD, WARN, age
from gateway.terminal.words import Words


@dataclass(slots=True)
class Results:
    """What a scan found so far. `whole` is False when it was cut short."""

    port: str
    devices: list[Found] = field(default_factory=list)
    noise: Counter[Setting] = field(default_factory=Counter)
    whole: bool = False

    def plain(self) -> dict[str, Any]:
        """Return the results for --json."""
        return {
            "port": self.port,
            "complete": self.whole,
            "devices": [
                {
                    "address": found.address,
                    "baud": found.setting.baud,
                    "parity": found.setting.parity,
                    "profiles": [fit.profile for fit in found.fits],
                }
                for found in self.devices
            ],
            "noise": [
                {"baud": setting.baud, "parity": setting.parity, "bytes": count}
                for setting, count in self.noise.items()
            ],
        }


def follow(
    events: Iterable[scanning.Progress | Found | Noise], results: Results, words: Words, console: Console
) -> None:
    """Show a scan as it goes on and fill in `results`; Ctrl-C ends it and keeps what was found."""
    with _bar(console) as progress, contextlib.suppress(KeyboardInterrupt):
        task = progress.add_task("", total=None)
        for event in events:
            match event:
                case scanning.Progress():
                    step = event.step
                    what = words("scan.asking", setting=step.setting, address=step.address)
                    left = words("scan.left", age=age(event.remaining_s, words))
                    progress.update(
                        task,
                        description=f"{what}  {left}",
                        total=event.done_s + event.remaining_s,
                        completed=event.done_s,
                    )
                case Found():
                    results.devices.append(event)
                    progress.console.print(_found_line(event, words), soft_wrap=True)
                case Noise():
                    results.noise[event.setting] += event.count
        results.whole = True


def _bar(console: Console) -> Progress:
    columns = (BarColumn(30), TextColumn("{task.description}"))
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _found_line(found: Found, words: Words) -> Text:
    told = Text("● ", GOOD).append(words("scan.found", setting=found.setting, address=found.address), "bold")
    if not found.fits:
        return told.append(f"  {words('scan.unknown')}", WARN)
    told.append(f"  {found.fits[0].profile}")
    others = ", ".join(fit.profile for fit in found.fits[1:4])
    return told.append(f"  {words('scan.or', others=others)}" if others else "", FAINT)


def closing(results: Results, words: Words) -> list[Text]:
    """Return what there is to say in the end, for standard error."""
    lines = []
    if not results.whole:
        lines.append(Text(words("scan.cut"), WARN))
    if results.devices:
        lines.append(Text(f"✓ {words('scan.total', n=len(results.devices))}", GOOD))
    else:
        lines.append(Text(f"✗ {words('scan.nothing')}", WARN))
        lines.append(Text(words("scan.nothing_hint"), FAINT))
    found_at = {found.setting for found in results.devices}
    loud = [setting for setting, count in results.noise.items() if count > 2 and setting not in found_at]
    if loud:
        lines.append(Text(words("scan.noise", settings=", ".join(map(str, loud))), WARN))
    if any(setting in found_at for setting in results.noise):
        lines.append(Text(words("scan.collision"), WARN))
    if len(found_at) > 1:
        lines.append(Text(words("scan.mixed"), WARN))
    return lines


def toml(results: Results, words: Words) -> str:
    """Return the devices found as [[bus]] and [[bus.device]] tables."""
    return "\n".join(_tables(results, words))


def _tables(results: Results, words: Words) -> Iterator[str]:
    by_setting: dict[Setting, list[Found]] = {}
    for found in sorted(results.devices, key=lambda each: each.address):
        by_setting.setdefault(found.setting, []).append(found)
    for number, (setting, devices) in enumerate(by_setting.items(), 1):
        yield f'[[bus]]\nname = "line-{number}"\nport = "{results.port}"\nbaud = {setting.baud}'
        yield f'parity = "{setting.parity}"\n'
        for found in devices:
            names = [fit.profile for fit in found.fits]
            profile = names[0] if names else "?"
            kind = found.fits[0].category if names else "device"
            yield f'[[bus.device]]\nname = "{kind}-{number}-{found.address}"'
            others = f"  # {words('scan.or', others=', '.join(names[1:4]))}" if names[1:] else ""
            unknown = "" if names else f"  # {words('scan.unknown')}"
            yield f'profile = "{profile}"{others}{unknown}\naddress = {found.address}'
            yield 'place = { building = "", unit = "", floor = "" }\n'
