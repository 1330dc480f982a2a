"""Chinese in GB 18030, as the standard wants it (8.2.1.2): cut to a number of bytes, never through a character."""

from typing import Final

CODE: Final = "gb18030"


def fit(text: str, size: int) -> bytes:
    """Return `text` in at most `size` bytes; what has no place there is left out from the end."""
    clean = "".join(each if each.isprintable() else " " for each in text)
    data = clean.encode(CODE, "replace")
    while len(data) > size:
        clean = clean[: len(clean) - max(1, (len(data) - size) // 4)]
        data = clean.encode(CODE, "replace")
    return data


def fill(text: str, size: int) -> bytes:
    """Return `text` in exactly `size` bytes, zeros behind it."""
    return fit(text, size).ljust(size, b"\0")


def read(data: bytes) -> str:
    """Return what bytes say, without the zeros and blanks that fill them up."""
    return data.decode(CODE, "replace").strip("\0 ")
