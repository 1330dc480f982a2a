"""The commands that ask a running gateway: status, alerts, watch, command, export."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from gateway.terminal import alerts as alert_list
from gateway.terminal import assets as asset_screen
from gateway.terminal import doors as door_screen
from gateway.terminal import export as exporting
from gateway.terminal import status as status_screen
from gateway.terminal import watch as watching
from gateway.terminal.client import Client
from gateway.terminal.document import Alert, AssetLine, Outcome, Status, read
from gateway.terminal.figures import BAD, FAINT, GOOD, console
from gateway.terminal.words import Words


class Asking:
    """Asks one gateway and shows what it says. Every method raises ToolError when there is nothing to show."""

    def __init__(self, client: Client, words: Words) -> None:
        self._client, self._words = client, words

    def status(self, *, as_json: bool) -> None:
        """Show whether the gateway is well."""
        told = self._client.ask("status")["status"]
        if as_json:
            _echo_json(told)
        else:
            console().print(status_screen.screen(read(Status, told), self._words))

    def doors(self, *, as_json: bool) -> None:
        """Show every door and interlock."""
        told = self._client.ask("status")["status"]
        if as_json:
            _echo_json({key: told.get(key, []) for key in ("doors", "interlocks")})
        else:
            status = read(Status, told)
            console().print(door_screen.screen(status.doors, status.interlocks, self._words))

    def assets(self, kind: str | None, *, as_json: bool) -> None:
        """Show every asset, or those of one kind."""
        told = self._client.ask("assets")["assets"]
        wanted = [each for each in told if kind is None or each.get("kind") == kind]
        if as_json:
            _echo_json(wanted)
        else:
            console().print(asset_screen.screen([read(AssetLine, each) for each in wanted], self._words))

    def bins(self, over: float | None, *, as_json: bool, as_csv: bool) -> None:
        """Show which bins to empty, in the order to go round."""
        told = self._client.ask("assets")["assets"]
        bins = asset_screen.route([read(AssetLine, each) for each in told], over)
        if as_json:
            _echo_json(list(asset_screen.route_rows(bins)))
        elif as_csv:
            click.echo(asset_screen.route_csv(asset_screen.route_rows(bins)), nl=False)
        else:
            console().print(asset_screen.route_screen(bins, self._words))

    def alerts(self, *, as_json: bool) -> None:
        """Show the alerts that are not over."""
        told = self._client.ask("alerts")["alerts"]
        if as_json:
            _echo_json(told)
        elif told:
            console().print(alert_list.listed([read(Alert, each) for each in told], self._words))
        else:
            console().print(Text(f"● {self._words('alerts.none')}", GOOD))

    def acknowledge(self, wanted: str, note: str | None) -> None:
        """Acknowledge the alert whose id ends with `wanted`."""
        alert = self._find(wanted)
        told = self._client.ask("acknowledge", alert=alert.alert, note=note or "")
        console().print(
            Text(f"✓ {self._words('alerts.acknowledged', text=self._words.of(alert.text))}", GOOD)
        )
        self._warn_unkept(told)

    def shelve(self, wanted: str, minutes: float) -> None:
        """Put the alert whose id ends with `wanted` aside."""
        alert = self._find(wanted)
        told = self._client.ask("shelve", alert=alert.alert, minutes=minutes)
        done = self._words("alerts.shelved", minutes=minutes, text=self._words.of(alert.text))
        console().print(Text(f"✓ {done}", GOOD))
        self._warn_unkept(told)

    def watch(self, *, plain: bool) -> None:
        """Show what happens until Ctrl-C, or until the gateway goes."""
        show = watching.plain if plain else watching.live
        show(self._client, self._words, Console(highlight=False))

    def order(self, device: str, action: str, arguments: Mapping[str, float], *, as_json: bool) -> bool:
        """Have a device do something; show what came of it and return whether it was done."""
        told = self._client.ask("command", device=device, action=action, arguments=dict(arguments))
        outcome = read(Outcome, told["outcome"])
        done = outcome.result == "done"
        if as_json:
            _echo_json(told["outcome"])
        else:
            console().print(_outcome_line(outcome, self._words, done=done))
            self._warn_unkept(told)
        return done

    def export(self, since: str, until: str, form: str, *, residents: bool) -> None:
        """Write journal rows between two times to standard output; what is about residents only if it is wanted."""
        now = datetime.now().astimezone()
        first, last = exporting.moment(since, now), exporting.moment(until, now)
        left_out = 0

        def rows() -> Iterator[Mapping[str, Any]]:
            nonlocal left_out
            for answer in self._client.stream("export", since=first, until=last):
                if residents or not exporting.is_about_resident(answer["event"]):
                    yield answer["event"]
                else:
                    left_out += 1

        write = exporting.csv_lines if form == "csv" else exporting.json_lines
        for line in write(rows()):
            click.echo(line)
        if left_out:
            click.echo(self._words("export.left_out", n=left_out), err=True)

    def _warn_unkept(self, told: Mapping[str, Any]) -> None:
        """Say so when what was done is in memory only; a gateway before this one told nothing of it."""
        if not told.get("kept", True):
            console().print(Text(f"! {self._words('client.unkept')}", BAD))

    def _find(self, wanted: str) -> Alert:
        told = self._client.ask("alerts")["alerts"]
        return alert_list.chosen(wanted, [read(Alert, each) for each in told])


def _outcome_line(outcome: Outcome, words: Words, *, done: bool) -> Text:
    told = Text("✓ " if done else "✗ ", GOOD if done else BAD)
    result = words(f"result.{outcome.result}") if f"result.{outcome.result}" in words else outcome.result
    told.append(f"{outcome.device} {outcome.action}  {result}")
    return told.append(f"  {outcome.detail}", FAINT)


def _echo_json(told: Any) -> None:
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))
