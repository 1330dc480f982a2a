"""Enough of EMQX's acl.conf to ask it questions: Erlang terms read, rules tried in order, the first that fits decides.

After EMQX's documentation of authorization by file: {Permission, Who, Action, Topics}; Who is `all`, {username, U} or
{username, {re, R}}; ${username} is filled in; a subscription is compared literally where the rule has no wildcard.
"""

import re
from dataclasses import dataclass
from typing import Any

TOKENS = re.compile(r'%.*|"((?:[^"\\]|\\.)*)"|([a-z]\w*)|([{}\[\],.])|\s+')


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: `topics` None for all."""

    permission: str
    who: Any
    action: str = "all"
    topics: tuple[str, ...] | None = None


def parse(text: str) -> list[Rule]:
    """Return the rules of a file; ValueError for anything that is not understood."""
    tokens, at = [], 0
    while at < len(text):
        match = TOKENS.match(text, at)
        if match is None:
            raise ValueError(f"not understood at {text[at : at + 30]!r}")
        at = match.end()
        if match[1] is not None:
            tokens.append(("text", match[1].replace("\\\\", "\\")))
        elif match[2] or match[3]:
            tokens.append(("atom" if match[2] else match[3], match[2] or match[3]))
    rules = []
    while tokens:
        term = _term(tokens)
        if tokens.pop(0)[0] != ".":
            raise ValueError(f"no full stop after {term}")
        if not isinstance(term, tuple) or not 2 <= len(term) <= 4:
            raise ValueError(f"{term} is no rule")
        permission, who, action, topics = (*term, "all", None)[:4] if len(term) < 4 else term
        rules.append(Rule(permission, who, action, None if topics is None else tuple(topics)))
    return rules


def _term(tokens: list[tuple[str, str]]) -> Any:
    kind, value = tokens.pop(0)
    if kind in {"text", "atom"}:
        return value
    closing = {"{": "}", "[": "]"}[kind]
    found = []
    while tokens[0][0] != closing:
        found.append(_term(tokens))
        if tokens[0][0] == ",":
            tokens.pop(0)
    tokens.pop(0)
    return tuple(found) if kind == "{" else found


def allows(rules: list[Rule], user: str, action: str, topic: str) -> bool:
    """Return whether `user` may publish to a topic, or subscribe to a filter."""
    wanted = topic.split("/", 2)[2] if topic.startswith("$share/") else topic
    for rule in rules:
        if _is(rule.who, user) and rule.action in {action, "all"}:
            filled = (
                None if rule.topics is None else [each.replace("${username}", user) for each in rule.topics]
            )
            if filled is None or any(_fits(wanted, each) for each in filled):
                return rule.permission == "allow"
    return False


def _is(who: Any, user: str) -> bool:
    if who == "all":
        return True
    kind, name = who
    assert kind == "username", kind
    return re.search(name[1], user) is not None if isinstance(name, tuple) else bool(name == user)


def _fits(topic: str, pattern: str) -> bool:
    """Say whether a topic or filter lies within a pattern: its wildcards only within those of the pattern."""
    names, wanted = topic.split("/"), pattern.split("/")
    for index, each in enumerate(wanted):
        if each == "#":
            return True
        if index >= len(names) or names[index] == "#" or (names[index] != each and each != "+"):
            return False
    return len(names) == len(wanted)
