"""The commands that need no running gateway: check, scan, setup, profiles."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from drivers import profile as profile_files
from drivers import scan as scanning
from drivers.api import LineError, Profile, ProfileError
from gateway import configuration
from gateway.core.faults import near
from gateway.terminal import faults as fault_list
from gateway.terminal import profiles as profile_list
from gateway.terminal import scan as scan_view
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import console
from gateway.terminal.help import DONE, INTERRUPTED, NO
from gateway.terminal.words import Words


def check(path: Path | None, words: Words, *, as_json: bool) -> int:
    """Check a configuration, show all its faults, return the exit code."""
    checked = configuration.check(path or configuration.find(), for_service=True)
    if as_json:
        _echo_json(
            {
                "file": str(checked.file),
                "good": checked.config is not None,
                "faults": [fault_list.plain(fault, words) for fault in checked.faults],
            }
        )
    else:
        out = console()
        fault_list.show(checked.faults, words, out)
        buses = checked.config.bus if checked.config else ()
        devices = sum(len(bus.device) for bus in buses)
        out.print(fault_list.summary(checked.faults, words, devices=devices, lines=len(buses)))
    return DONE if checked.config is not None else NO


def scan(
    port: str,
    addresses: str | None,
    config: Path | None,
    words: Words,
    *,
    as_json: bool,
    baud: tuple[int, ...],
    parity: tuple[str, ...],
    wait: int,
    thorough: bool,
) -> int:
    """Scan a line, show what is found, return the exit code."""
    options = scanning.Options(
        bauds=baud or scanning.BAUDS,
        parities=parity or scanning.PARITIES,
        addresses=_addresses(addresses, words) if addresses else scanning.ADDRESSES,
        wait_s=wait / 1000,
        thorough=thorough,
    )
    results = scan_view.Results(port)
    aside = Console(stderr=True, highlight=False)
    try:
        known = list(_known(config).values())
        scan_view.follow(scanning.scan(port, known, options), results, words, aside)
    except LineError as error:
        raise ToolError("scan.failed", port=error.where, reason=error.hint or error.op) from error
    for line in scan_view.closing(results, words):
        aside.print(line, soft_wrap=True)
    if as_json:
        _echo_json(results.plain())
    elif results.devices:
        click.echo(scan_view.toml(results, words))
    return (DONE if results.devices else NO) if results.whole else INTERRUPTED


def setup(
    output: Path | None,
    answers: Path | None,
    words: Words,
    *,
    hurried: bool,
    addresses: str | None,
    baud: tuple[int, ...],
) -> int:
    """Ask an installer for everything, write gateway.toml, return the exit code."""
    from gateway.setup import unit, wizard

    file = output or wizard.default_output()
    options = scanning.Options(
        bauds=baud or scanning.BAUDS,
        addresses=_addresses(addresses, words) if addresses else scanning.ADDRESSES,
    )
    task = wizard.Task(file, options, _known(file), answers, hurried=hurried)
    return wizard.run(task, words, Console(highlight=False), unit.Unit())


def profiles(name: str | None, config: Path | None, words: Words, *, as_json: bool) -> int:
    """Show all products, or one, and return the exit code."""
    try:
        if name is None:
            known = list(_known(config).values())
            if as_json:
                _echo_json([profile_list.plain(each, words) for each in known])
            else:
                console().print(profile_list.listed(known, words))
        else:
            _must_be_there(name, config, words)
            one = profile_files.load(name, search=_folders(config))
            if as_json:
                _echo_json(profile_list.plain(one, words))
            else:
                console().print(profile_list.shown(one, words))
    except ProfileError as error:
        raise ToolError("profiles.wrong", error=error) from error
    return DONE


def _must_be_there(name: str, config: Path | None, words: Words) -> None:
    known = profile_files.names(_folders(config))
    if name not in known and not name.endswith(".toml"):
        close = near(name, known)
        raise ToolError("profiles.none", name=name, guess=f" ({words.of(close)})" if close else "")


def _folders(config: Path | None) -> tuple[Path, ...]:
    return ((config or configuration.find()).parent / "profiles", profile_files.BUILT_IN)


def _known(config: Path | None) -> dict[str, Profile]:
    """Return all products that can be read; a faulty one of the site's own is `check`'s affair."""
    folders = _folders(config)
    known = {}
    for name in profile_files.names(folders):
        try:
            known[name] = profile_files.load(name, search=folders)
        except ProfileError as error:
            click.echo(str(error), err=True)
    return known


def _addresses(told: str, words: Words) -> list[int]:
    """Return the addresses of a list like 1-32,40; UsageError if it is none."""
    chosen: list[int] = []
    try:
        for part in told.split(","):
            first, _, last = part.partition("-")
            chosen += range(int(first), int(last or first) + 1)
    except (ValueError, MemoryError, OverflowError):
        chosen = []
    if not chosen or min(chosen) < 1 or max(chosen) > 255:
        raise click.UsageError(words("usage.addresses", told=told), click.get_current_context())
    return sorted(set(chosen))


def _echo_json(told: Any) -> None:
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))
