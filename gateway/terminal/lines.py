"""One event as one line: what `watch` shows at its foot, and all it shows where there is no terminal."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.text import Text

from gateway.core.access import WORDS
from gateway.terminal.document import Alert, read
from gateway.terminal.doors import STATES, mode_word, state_word
from gateway.terminal.figures import BAD, FAINT, GOOD, MARKS, WARN, clock
from gateway.terminal.words import Words

Body = Mapping[str, Any]

WHY = {reason.value: text for reason, text in WORDS.items()}


def event_line(event: Mapping[str, Any], words: Words) -> Text:
    """Return an event as the gateway sent it, in words; nothing is ever refused, only told more plainly."""
    body: Body = event.get("body", {})
    tell = _TELLERS.get(str(body.get("type")), _anything)
    return Text.assemble((clock(float(event.get("time", 0.0))) + " ", FAINT)).append_text(tell(body, words))


def _reading(body: Body, words: Words) -> Text:
    told = Text(f"· {body.get('device')} {body.get('point')} ", FAINT)
    value, unit = body.get("value"), body.get("unit") or ""
    if body.get("quality") != "good":
        return told.append(words("line.unknown"), WARN)
    shown = f"{value:g}" if isinstance(value, float) else str(value).lower()
    return told.append(f"{shown} {unit}".rstrip())


def _link(body: Body, words: Words) -> Text:
    up = bool(body.get("up"))
    told = Text("● " if up else "✗ ", GOOD if up else BAD)
    what = f"line.{body.get('what')}"
    told.append(f"{words(what)} " if what in words else "")
    told.append(f"{body.get('name')} ", "bold")
    return told.append(words("line.up" if up else "line.down")).append(f"  {body.get('reason') or ''}", FAINT)


def _alert(body: Body, words: Words) -> Text:
    alert = read(Alert, body)
    over = alert.change in {"cleared", "acknowledged"}
    shape, style = ("✓", GOOD) if over else MARKS.get(alert.severity, MARKS["info"])
    severity = words(f"severity.{alert.severity}") if alert.severity in MARKS else alert.severity
    change = words(f"change.{alert.change}") if f"change.{alert.change}" in words else alert.change
    told = Text(f"{shape} {severity} {change}  ", style).append(words.of(alert.text), "" if over else style)
    return told.append(f"  ×{alert.count}" if alert.count > 1 else "", FAINT)


def _command(body: Body, words: Words) -> Text:
    given = " ".join(f"{name}={value:g}" for name, value in dict(body.get("arguments") or {}).items())
    told = Text("▶ ", "bold blue").append(f"{body.get('device')} {body.get('action')} {given}".rstrip())
    return told.append(f"  {body.get('origin')}", FAINT)


def _outcome(body: Body, words: Words) -> Text:
    done = body.get("result") == "done"
    told = Text("✓ " if done else "✗ ", GOOD if done else BAD)
    result = f"result.{body.get('result')}"
    told.append(
        f"{body.get('device')} {body.get('action')} {words(result) if result in words else ''}".rstrip()
    )
    return told.append(f"  {body.get('detail')}", FAINT)


def _door(body: Body, words: Words) -> Text:
    shape, style = STATES.get(str(body.get("state")), STATES["unknown"])
    told = Text(f"{shape} ", style).append(f"{body.get('door')} ", "bold")
    told.append(state_word(str(body.get("state")), words), style)
    if body.get("mode") not in {"normal", None}:
        told.append(f"  {mode_word(str(body['mode']), words)}", WARN)
    return told.append(f"  {body.get('why') or ''}".rstrip(), FAINT)


def _access(body: Body, words: Words) -> Text:
    granted = bool(body.get("granted"))
    told = Text("✓ " if granted else "✗ ", GOOD if granted else WARN)
    told.append(f"{body.get('door') or body.get('reader')} ", "bold")
    told.append(words("access.granted" if granted else "access.denied"))
    facts = [str(body.get(key) or "") for key in ("holder", "card")]
    why = WHY.get(str(body.get("reason")))
    facts.append("" if granted else words.of(why) if why else str(body.get("reason") or ""))
    return told.append("  " + " ".join(fact for fact in facts if fact), FAINT)


def _interlock(body: Body, words: Words) -> Text:
    if not body.get("engaged"):
        return Text("■ ", GOOD).append(
            f"{words('doors.interlock')} {body.get('interlock')}  {words('doors.ready')}"
        )
    drill = bool(body.get("drill"))
    told = Text("◆ ", WARN if drill else BAD).append(f"{words('doors.interlock')} {body.get('interlock')}  ")
    return told.append(words("doors.drill" if drill else "doors.engaged"), WARN if drill else BAD)


def _anything(body: Body, words: Words) -> Text:
    del words
    facts = "  ".join(f"{value}" for name, value in body.items() if name != "type" and value is not None)
    return Text(f"· {body.get('type')}  {facts}", FAINT)


_TELLERS: Mapping[str, Callable[[Body, Words], Text]] = {
    "reading": _reading,
    "link": _link,
    "alert": _alert,
    "command": _command,
    "outcome": _outcome,
    "door": _door,
    "access": _access,
    "interlock": _interlock,
}
