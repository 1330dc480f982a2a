"""Values as TOML writes them, for tables that people paste. Pure."""

import json
from collections.abc import Mapping, Sequence


def toml(value: object) -> str:
    """Return a TOML value on one line; a JSON string is a TOML basic string."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
