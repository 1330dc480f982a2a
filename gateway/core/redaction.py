"""Redaction: what leaves the house for whoever maintains it carries no secret, no person and no public address. Pure.

Three fences, each enough for most things and none alone for all:

- what a secret file holds is known, and blanked wherever it stands, in a log line or a path;
- in tables and documents a value is told only under a key that is known to be harmless;
- in free text, what looks like a secret is blanked: passwords in addresses, everything behind the host of an http
  address (bots keep their tokens there), values of password= and its like, PEM blocks, long runs of letters and
  digits, mobile numbers, public addresses. Rather a harmless word too many: UUIDs and names of adapters stay.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

BLANK: Final = "***"
PERSON: Final = "<person>"
SHORTEST: Final = 4  # of a known secret: a shorter one would blank half of every text

_PEM = re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|\Z)", re.S)
_USER = re.compile(r"(?<=://)[^/@\s]*@")
_HTTP = re.compile(r"(https?://[^/\s\"'<>?#]+)[/?#][^\s\"'<>)]*")
_NAMED = re.compile(
    r"(?i)((?:pass(?:word|wd|phrase)?|pin|secret|token|api[-_ ]?key|private[-_ ]?key|psk|code|authorization|bearer|"
    r"口令|密码|密钥|验证码)[\"']?\s*(?:[:=：]|\bis\b|为|是|\s)\s*[\"']?)([^\s\"',;，；]+)"
)
_RUN = re.compile(r"[A-Za-z0-9+=_-]{20,}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HARMLESS_RUN = re.compile(r"(?:usb|platform|pci|if\d\d)[-_]|^\d{4}-\d\d-\d\dT|^[=_+-]+$")
_MOBILE = re.compile(r"(?<![\d.])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")
_V4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_V6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")

PEOPLE: Final = frozenset({"by", "holder", "note", "origin", "card", "person", "sub", "to", "answered_by"})
"""Keys under which people stand: who acknowledged, what they wrote, whom to call."""

SECRET: Final = re.compile(r"(?i)pass|secret|token|pin$|code|(^|_)key$|auth|cookie|credential")


class Redactor:
    """Blanks texts and trees. `known` are the secrets that lie in files here."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        found = {line.strip() for each in known for line in (each, *each.splitlines())}
        longest_first = sorted((each for each in found if len(each) >= SHORTEST), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, told: str) -> str:
        """Return a text without what is or looks like a secret."""
        told = self._known.sub(BLANK, told) if self._known is not None else told
        told = _PEM.sub(BLANK, told)
        told = _USER.sub(f"{BLANK}@", told)
        told = _HTTP.sub(rf"\1/{BLANK}", told)
        told = _NAMED.sub(rf"\1{BLANK}", told)
        told = _RUN.sub(_run, told)
        told = _MOBILE.sub("<phone>", told)
        return _V6.sub(_address, _V4.sub(_address, told))

    def tree(self, told: Any, harmless: Collection[str] | None = None) -> Any:
        """Return a document without secrets and people; with `harmless` only what stands under those keys."""
        match told:
            case Mapping():
                return {
                    self.text(str(key)): self._under(str(key), value, harmless) for key, value in told.items()
                }
            case str():
                return self.text(told)
            case list() | tuple():
                return [self.tree(each, harmless) for each in told]
        return told

    def _under(self, key: str, value: Any, harmless: Collection[str] | None) -> Any:
        if value is None or value in ("", [], {}):
            return value
        if key in PEOPLE and not isinstance(value, bool):
            return PERSON
        if harmless is not None and key not in harmless:
            return BLANK
        if SECRET.search(key) and not key.endswith("_file") and not isinstance(value, bool | Mapping):
            return BLANK
        return self.tree(value, harmless)


def _run(match: re.Match[str]) -> str:
    run = match[0]
    mixed = any(each.isdigit() for each in run) and any(each.isalpha() for each in run)
    if not mixed or _UUID.fullmatch(run) or _HARMLESS_RUN.search(run):
        return run
    return BLANK


def _address(match: re.Match[str]) -> str:
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return match[0]
    return "<public address>" if address.is_global else match[0]
