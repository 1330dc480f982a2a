"""Which line of a TOML text a key stands on: good enough to point a person at it.

The parser of the standard library gives no lines. This looks at headers and at keys that begin a line, which
is how people write such files; a key inside an inline table gets the line of the table.
"""

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*([\w.\"-]+)\s*=")


def key_lines(text: str) -> dict[str, int]:
    """Return {"bus[0].device[2].address": 31, ...}, counted from 1."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _resolve(header[2], counts, another=header[1] == "[[")
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(f"{table}.{key[1]}" if table else key[1], number)
    return lines


def line_of(key: str, lines: dict[str, int]) -> int | None:
    """Return the line of a key, or of the nearest table around it; None if there is none."""
    while key:
        if key in lines:
            return lines[key]
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return None


def _resolve(header: str, counts: dict[str, int], *, another: bool) -> str:
    """Return the path of a header; `counts` holds the index of the last table of each array."""
    path = ""
    names = [name.strip().strip('"') for name in header.split(".")]
    for depth, name in enumerate(names, 1):
        path = f"{path}.{name}" if path else name
        if another and depth == len(names):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path
