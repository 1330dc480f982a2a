"""`profiles`: all products there are, or one with its wire layout."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from drivers.api import Profile
from drivers.profile import layout_table
from gateway.terminal.figures import FAINT, GOOD, WARN
from gateway.terminal.words import Words


def listed(profiles: Sequence[Profile], words: Words) -> Table:
    """Return the table of all products, by category."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=FAINT)
    for key in ("profile", "category", "verified", "points", "title"):
        table.add_column(
            words(f"column.{key}"), no_wrap=key != "title", justify="right" if key == "points" else "left"
        )
    for profile in sorted(profiles, key=lambda each: (each.category, each.name)):
        table.add_row(
            Text(profile.name, "bold"),
            words(f"category.{profile.category}")
            if f"category.{profile.category}" in words
            else profile.category,
            verified(profile, words),
            str(len(profile.points)),
            words.of(profile.title),
        )
    return table


def verified(profile: Profile, words: Words) -> Text:
    """Return the mark that says whether the register map is confirmed."""
    if profile.verified:
        return Text(f"✓ {words('profiles.verified')}", GOOD)
    return Text(f"? {words('profiles.unverified')}", WARN)


def shown(profile: Profile, words: Words) -> Group:
    """Return one product: what it is, how its registers lie, what it can be told to do."""
    head = Text.assemble(
        (profile.name, "bold"), "  ", words.of(profile.title), "  ", verified(profile, words)
    )
    parts: list[RenderableType] = [head, Text()]
    if profile.layout:
        parts += [Text(profile.layout), Text()]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=FAINT)
    for key in ("register", "type", "point", "unit", "priority", "interval"):
        table.add_column(words(f"column.{key}"), no_wrap=True)
    for row in layout_table(profile):
        table.add_row(
            row.register, row.type, Text(row.point, "bold"), row.unit, row.priority, f"{row.interval_s:g} s"
        )
    parts += [table, Text()]
    for action in profile.actions:
        given = " ".join(f"{each.name}={each.minimum:g}..{each.maximum:g}" for each in action.arguments)
        told = Text.assemble(("▶ ", "bold blue"), (action.name, "bold"), f" {given}".rstrip(), "  ")
        parts.append(told.append(words.of(action.text), FAINT))
    parts += [Text(f"{words('profiles.source')} {source}", FAINT) for source in profile.sources]
    return Group(*parts)


def plain(profile: Profile, words: Words) -> dict[str, Any]:
    """Return a product for --json."""
    return {
        "name": profile.name,
        "driver": profile.driver,
        "category": profile.category,
        "title": words.of(profile.title),
        "verified": profile.verified,
        "sources": list(profile.sources),
        "points": [
            {
                "name": row.point,
                "register": row.register,
                "type": row.type,
                "unit": row.unit or None,
                "priority": row.priority,
                "interval_s": row.interval_s,
            }
            for row in layout_table(profile)
        ],
        "actions": [
            {
                "name": action.name,
                "arguments": [
                    {
                        "name": each.name,
                        "minimum": each.minimum,
                        "maximum": each.maximum,
                        "default": each.default,
                    }
                    for each in action.arguments
                ],
            }
            for action in profile.actions
        ],
    }
