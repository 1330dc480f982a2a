"""What `check` and `run` say about a configuration: every fault with place, found, wanted and hint."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway.core.faults import Fault
from gateway.terminal.figures import BAD, FAINT, GOOD, WARN
from gateway.terminal.words import Words


def show(faults: Sequence[Fault], words: Words, console: Console) -> None:
    """Print every fault, errors before warnings."""
    for fault in sorted(faults, key=lambda each: each.warning):
        style, word = (WARN, "faults.warning") if fault.warning else (BAD, "faults.error")
        where = f"{fault.file}:{fault.line}" if fault.line else fault.file
        console.print(
            Text.assemble((f"{words(word)} ", style), (f"{where}  ", FAINT), (fault.key, "bold")),
            soft_wrap=True,
        )
        rows = [("faults.found", fault.found), ("faults.wanted", fault.wanted), ("faults.hint", fault.hint)]
        for key, text in rows:
            if text is not None:
                console.print(Text.assemble(f"    {words(key)} ", words.of(text)), soft_wrap=True)


def summary(faults: Sequence[Fault], words: Words, *, devices: int, lines: int) -> Text:
    """Return the last line of `check`."""
    errors = sum(not fault.warning for fault in faults)
    warnings = len(faults) - errors
    if errors:
        return Text(f"✗ {words('faults.bad', errors=errors, warnings=warnings)}", BAD)
    told = words("faults.good", devices=devices, lines=lines)
    return Text(f"✓ {told}", GOOD).append(
        f"  {words('faults.warnings', n=warnings)}" if warnings else "", WARN
    )


def plain(fault: Fault, words: Words) -> dict[str, Any]:
    """Return a fault for --json."""
    return {
        "severity": "warning" if fault.warning else "error",
        "file": fault.file,
        "line": fault.line,
        "key": fault.key,
        "found": words.of(fault.found),
        "wanted": words.of(fault.wanted),
        "hint": words.of(fault.hint) if fault.hint else None,
    }
