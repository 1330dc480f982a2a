"""What stops a command and a person can mend: told in one line, with what to do in the next."""


class ToolError(Exception):
    """`key` names the words in words.toml, `key` + "_hint" those that say what to do; `values` fill them in."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, values)
        self.key, self.values = key, values
