"""A newcomer's install under a real systemd, timed: package, wizard, first alert.

    sudo .venv/bin/python -m tests.systemd.newcomer build/deb/*.deb [--suite bookworm] [--root FOLDER]

The wizard's answers come from a file, so these are the machine's seconds; the lines keep the time of the wire at 9600
baud and every address is asked. `--root` keeps the bootstrapped Debian for the next time.
"""

import json
import sys
import time
from typing import Any

from gateway.core.toml_text import toml
from tests.systemd.beginning import asked, begun, compound, install
from tests.systemd.container import missing
from tests.systemd.story import FILE, UNIT, Story


def main() -> int:
    """Print each step and its seconds; return 1 when one went wrong."""
    options = asked("Time a newcomer's install under a real systemd.")
    if reason := missing():
        sys.stderr.write(f"{reason}\n")
        return 2
    with begun(options) as story:
        began = time.monotonic()
        story.look("installed by apt", lambda: install(story))
        story.look("the wizard", lambda: wizard(story))
        story.look("a fire is an alert", lambda: fire(story))
        sys.stdout.write(f"from nothing to the first alert: {time.monotonic() - began:.0f} s\n")
    return 0 if all(step.good for step in story.steps) else 1


def wizard(story: Story) -> str:
    """Play the wizard as root over a line that is there, with the gateway of the sample running."""
    there = story.there
    buses = compound(there)
    text = "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in answers(buses).items())
    (there.root / "root/answers.toml").write_text(text, encoding="utf-8")
    before = story.pid()
    told = there.out("compound-gateway", "--lang", "zh", "setup", "--answers", "/root/answers.toml")
    assert "✓ 网关在运行" in told, told
    assert there.show(UNIT, "ActiveState") == "active"
    assert story.pid() not in {0, before}
    assert there.out("stat", "-c", "%a %U:%G", f"/{FILE}") == "640 root:compound-gateway"
    assert story.status()["gateway"]["id"] == "new-01"
    check = there.run("compound-gateway", "check")
    assert (check.returncode, "warning" in check.stdout) == (0, False), check.stdout
    story.quiet = ["smoke-1-1-1"]
    return f"{sum(len(bus['device']) for bus in buses)} devices on {len(buses)} lines, gateway stopped and started"


def answers(buses: list[dict[str, Any]]) -> dict[str, object]:
    """Return what somebody would have typed."""
    told: dict[str, object] = {
        "name": "红星亭坡 1 号院",
        "id": "new-01",
        "lines": " ".join(b["port"] for b in buses),
    }
    for bus in buses:
        for each in bus["device"]:
            at, place = f"{bus['port']}:{each['address']}", each["place"]
            told[f"product:{at}"] = each["profile"]
            told[f"place:{at}"] = "/".join(place[level] for level in place) if place else "."
    return told


def fire(story: Story) -> str:
    """Let a detector see smoke."""
    story.burn()
    return story.nothing_lost()


if __name__ == "__main__":
    sys.exit(main())
