"""The text of gateway.toml, with what an installer needs to know beside each table. Pure."""

from collections.abc import Iterator, Mapping

from drivers.api import Profile
from gateway.core.toml_text import toml
from gateway.setup import questions
from gateway.setup.found import Installed, Site, Wired
from gateway.terminal.words import Words

DOOR_POINTS = {"contact": "contact", "exit": "exit_button"}


def document(site: Site, profiles: Mapping[str, Profile], words: Words) -> str:
    """Return the whole file. `profiles` are the products by name: a door's parts follow from its board's points."""
    parts = [
        _comment(words("setup_file.head")),
        _gateway(site, words),
        _mqtt(site, words),
        *(_line(wired, profiles, words) for wired in site.lines),
        *_doors(site, profiles, words),
        _comment(words("setup_file.tail")),
    ]
    return "\n".join(part for part in parts if part)


def _gateway(site: Site, words: Words) -> str:
    facts = {"id": site.id, "name": site.name, "place": site.place, "state_dir": site.state_dir}
    notes = {"id": words("setup_file.id"), "state_dir": words("setup_file.state_dir")}
    return _table("[gateway]", facts, notes)


def _mqtt(site: Site, words: Words) -> str:
    if not site.mqtt:
        return _comment(words("setup_file.no_broker"))
    notes = {"url": words("setup_file.url"), "password_file": words("setup_file.password_file")}
    return _comment(words("setup_file.mqtt")) + _table("[mqtt]", {**site.mqtt, "confirm": "broker"}, notes)


def _line(wired: Wired, profiles: Mapping[str, Profile], words: Words) -> str:
    line = wired.line
    facts = {"name": wired.name, "port": line.port, "baud": line.baud, "parity": line.parity}
    parts = [_comment(words("setup_file.line", n=len(wired.devices))) + _table("[[bus]]", facts, {})]
    parts += [_device(each, profiles, words) for each in wired.devices]
    parts += [_comment(words("setup_file.unknown", address=each)) for each in wired.unknown]
    parts += [_comment(words("setup_file.elsewhere", address=each)) for each in line.elsewhere]
    parts += [_comment(words("setup_file.garbled", address=each)) for each in line.garbled]
    return "\n".join(parts)


def _device(device: Installed, profiles: Mapping[str, Profile], words: Words) -> str:
    facts = {
        "name": device.name,
        "label": device.label,
        "profile": device.product,
        "address": device.address,
        "place": device.place,
    }
    title = words.of(profiles[device.product].title) if device.product in profiles else ""
    others = words("setup_file.others", others=", ".join(device.others)) if device.others else ""
    notes = {"profile": "; ".join(filter(None, (title, others)))}
    told = _table("[[bus.device]]", facts, notes)
    return told + (
        _comment(words("setup_file.baseline", name=device.name)) if device.category == "tilt" else ""
    )


def _doors(site: Site, profiles: Mapping[str, Profile], words: Words) -> Iterator[str]:
    taken = {each.name for wired in site.lines for each in wired.devices}
    boards = [each for wired in site.lines for each in wired.devices if each.category == "door"]
    for board in boards:
        known = profiles.get(board.product)
        points = {point.name for point in known.points} if known else set()
        parts = {key: f"{board.name}.{point}" for key, point in DOOR_POINTS.items() if point in points}
        name = _free(f"gate-{board.name.removeprefix('door-')}"[:28], taken)
        facts = {"name": name, "label": board.label, "place": board.place, "strike": board.name, **parts}
        yield _comment(words("setup_file.door")) + _table("[[door]]", facts, {})
    if boards and site.free_doors:
        yield _comment(words("setup_file.interlock")) + _table(
            "[[interlock]]", {"name": _free("fire", taken)}, {}
        )


def _free(name: str, taken: set[str]) -> str:
    """Return a name no device, door or interlock has yet, and take it."""
    chosen = questions.free((name, *(f"{name}-{number}" for number in range(2, 1000))), taken)
    taken.add(chosen)
    return chosen


def _table(title: str, facts: Mapping[str, object], notes: Mapping[str, str]) -> str:
    """Return a table; what is empty is left out."""
    lines = [title]
    for key, value in facts.items():
        if value not in ("", {}):
            note = f"   # {notes[key]}" if notes.get(key) else ""
            lines.append(f"{key} = {toml(value)}{note}")
    return "\n".join(lines) + "\n"


def _comment(told: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in told.strip().splitlines())
