"""The numbers an action takes: what the caller gave, checked against what the device accepts."""

from collections.abc import Mapping

from drivers.api import Action, DriverError


def filled(action: Action, given: Mapping[str, float]) -> dict[str, float]:
    """Return every argument of an action; DriverError if one is missing, unknown or out of its range."""
    known = {argument.name: argument for argument in action.arguments}
    if unknown := sorted(set(given) - set(known)):
        names = ", ".join(known) or "none"
        raise DriverError("act", f"{action.name}: unknown argument {unknown[0]}", f"it takes {names}")
    numbers: dict[str, float] = {}
    for name, argument in known.items():
        value = given.get(name, argument.default)
        if value is None:
            raise DriverError("act", f"{action.name}: {name} is missing")
        if not argument.minimum <= value <= argument.maximum:
            wanted = f"from {argument.minimum:g} to {argument.maximum:g} {argument.unit or ''}".rstrip()
            raise DriverError("act", f"{action.name}: {name} = {value:g}", wanted)
        numbers[name] = value
    return numbers
