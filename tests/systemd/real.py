"""A real systemd, the real package, a simulated compound: installed, run in its sandbox, hurt, upgraded, purged.

    sudo .venv/bin/python -m tests.systemd.real build/deb/*.deb [--suite bookworm] [--root FOLDER]

Boots a Debian in a container, installs the package there as a person would, and prints what it saw as a table,
then as JSON in the last line. `--root` keeps the bootstrapped Debian for the next time. Ends with 1 when anything
was not as it should be.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tests.systemd import cameras, upgrades
from tests.systemd.beginning import asked, begun, compound, install
from tests.systemd.container import Container, missing
from tests.systemd.story import FILE, UNIT, Story, until

EXPOSURE = 1.5
UNITS = (UNIT, cameras.CAMERAS, "compound-gateway-desk.service", "compound-gateway-trial.service")
KILLS = 5
HEAD = """\
[gateway]
id = "real-01"
name = "红星亭坡 1 号院"
state_dir = "/var/lib/compound-gateway"

"""
CAMERA = """\
[[camera]]
name = "facade"
url = "/srv/facade.mp4"
place = { building = "1" }
"""


def starts(story: Story) -> str:
    """The sample configuration names ports that are not there: it waits for them."""
    took = until(lambda: story.there.show(UNIT, "ActiveState") == "active", "active", 60)
    assert story.there.show(UNIT, "SubState") == "running"
    assert story.there.out("systemctl", "is-enabled", UNIT) == "enabled"
    rights = story.there.out("stat", "-c", "%a %U:%G", f"/{FILE}")
    assert rights == "640 root:compound-gateway", rights
    return f"after {took:.1f} s more, status: {story.there.show(UNIT, 'StatusText')}; {FILE} is {rights}"


def configure(story: Story) -> str:
    """Give it a simulated compound and a camera."""
    there = story.there
    buses = compound(there)
    film = there.out("find", "/usr/lib/compound-gateway", "-name", "facade.mp4")
    there.out("install", "-m", "644", film, "/srv/facade.mp4")
    devices = [device for bus in buses for device in bus["device"]]
    story.quiet = [each["name"] for each in devices if each["profile"] == "sonbest-sm7571b"]
    write(story, HEAD + CAMERA + "".join(table(bus) for bus in buses))
    there.out("systemctl", "reload", UNIT)
    until(lambda: story.status()["gateway"]["id"] == "real-01", "the new configuration", 20)
    return f"{len(devices)} devices on {len(buses)} lines by systemctl reload, process {story.pid()}"


def table(bus: dict[str, Any]) -> str:
    """Return the tables of gateway.toml for one line of the simulator."""
    rows = ["[[bus]]", *(f"{key} = {json.dumps(bus[key])}" for key in ("name", "port", "baud", "parity"))]
    for each in bus["device"]:
        rows += [
            "[[bus.device]]",
            *(f"{key} = {json.dumps(each[key])}" for key in ("name", "profile", "address")),
        ]
        rows += [
            f"place = {{ {', '.join(f'{key} = {json.dumps(name)}' for key, name in each['place'].items())} }}"
        ]
    return "\n".join(rows) + "\n"


def write(story: Story, text: str) -> None:
    """Change the configuration as an editor does: in place, owner and mode as they are."""
    (story.there.root / FILE).write_text(text, encoding="utf-8")


def works(story: Story) -> str:
    before, frames = story.polls(), story.frames()
    until(lambda: story.polls() > before + 20 and story.frames() > frames + 20, "polls and frames", 60)
    seen = story.status()
    down = [line["line"] for line in seen["buses"] if not line["up"]]
    dumb = [each["device"] for line in seen["buses"] for each in line["devices"] if not each["online"]]
    assert not down, f"down: {down}"
    assert not dumb, f"silent: {dumb}"
    picture = seen["cameras"][0]
    return f"{story.polls()} polls, no device silent; {picture['frames']} frames at {picture['fps']} a second"


def taken_up(story: Story) -> str:
    """The drop-ins for systemd and its journal are in force, and every key of theirs is known."""
    watchdog = story.there.out("systemctl", "show", "--value", "-p", "RuntimeWatchdogUSec")
    assert watchdog == "14s", watchdog
    asked = story.there.out("systemd-analyze", "cat-config", "systemd/journald.conf")
    assert "60-compound-gateway.conf" in asked, asked
    wrong = story.there.run(
        "journalctl", "-b", "--no-pager", "-q", "-g", "Unknown key|Failed to parse"
    ).stdout
    ours = [line for line in wrong.splitlines() if "60-compound-gateway" in line]
    assert not ours, ours
    return f"the machine's watchdog asked for at {watchdog}, the journal's rules in force, no key unknown"


def exposure(story: Story, unit: str) -> float:
    told = story.there.out("systemd-analyze", "security", "--no-pager", unit)
    found = float(told.splitlines()[-1].split(": ")[1].split()[0])
    assert found <= EXPOSURE, f"{unit}: {found}"
    return found


def sandboxed(story: Story) -> str:
    exposures = ", ".join(f"{unit.removesuffix('.service')} {exposure(story, unit)}" for unit in UNITS)
    for pid in (story.pid(), cameras.pid(story)):
        status = facts_of(story, pid)
        assert (status["CapBnd"], status["NoNewPrivs"], status["Seccomp"]) == (["0" * 16], ["1"], ["2"])
        assert status["Uid"][0] != "0"
    child = story.there.out("pgrep", "-f", "gateway.vision.worker").split()[0]
    behind = story.there.out("ps", "-o", "nice=", "-p", child).strip()
    assert int(behind) > 0, "the camera's child does not step back"
    rss = [
        int(facts_of(story, int(pid))["VmRSS"][0]) // 1024 for pid in (story.pid(), cameras.pid(story), child)
    ]
    refused = story.there.run(
        "journalctl",
        "-u",
        UNIT,
        "-u",
        cameras.CAMERAS,
        "--no-pager",
        "-q",
        "-g",
        "denied|not permitted|Unknown key",
    )
    return (
        f"exposure as they run: {exposures}; no capability, no new privileges, seccomp; resident: {rss[0]} MB, "
        f"cameras' service {rss[1]} MB, a camera {rss[2]} MB at nice {behind}; in their log: "
        f"{refused.stdout.strip() or 'nothing denied'}"
    )


def facts_of(story: Story, pid: int) -> dict[str, list[str]]:
    """Return what the kernel says of a process."""
    lines = story.there.out("cat", f"/proc/{pid}/status").splitlines()
    return {key: value.split() for key, _, value in (line.partition(":") for line in lines)}


def alarms(story: Story) -> str:
    story.burn()
    return story.nothing_lost()


def credential(story: Story) -> str:
    """A secret that only root may read comes in by LoadCredential=, for the gateway and for the check of a reload."""
    there = story.there
    there.out("sh", "-c", "umask 077; mkdir -p /etc/secrets; echo hidden > /etc/secrets/mqtt-password")
    folder = there.root / f"etc/systemd/system/{UNIT}.d"
    folder.mkdir()
    drop_in = "[Service]\nLoadCredential=mqtt-password:/etc/secrets/mqtt-password\n"
    (folder / "secrets.conf").write_text(drop_in, encoding="ascii")
    broker = '[mqtt]\nurl = "mqtt://127.0.0.1:1883"\nusername = "real-01"\npassword_file = "mqtt-password"\n'
    whole = (there.root / FILE).read_text(encoding="utf-8")
    write(story, whole + broker)
    without = there.run("systemctl", "reload", UNIT)
    there.out("systemctl", "daemon-reload")
    there.out("systemctl", "restart", UNIT)
    until(lambda: story.polls() > 0, "polls", 20)
    there.out("systemctl", "reload", UNIT)
    until(lambda: story.status()["uplink"], "the uplink", 20)
    assert without.returncode != 0, "the check found a secret that is not there"
    return f"found by its bare name; {story.nothing_lost()}"


def stopped(story: Story) -> str:
    """A process that hangs, and cannot even be told to abort, is killed by the watchdog and comes back."""
    before = story.pid()
    story.there.out("kill", "-STOP", str(before))
    took = until(lambda: story.pid() not in {0, before}, "another process", 90)
    until(lambda: story.polls() > 0, "polls", 30)
    seen = story.there.out("journalctl", "-u", UNIT, "--no-pager", "-n", "30")
    assert "Watchdog timeout" in seen, seen
    return f"another process after {took:.1f} s, {story.nothing_lost()}"


def rebooted(story: Story) -> str:
    """Everything comes up by itself, in any order, and the alerts are those of before."""
    began = time.monotonic()
    assert isinstance(story.there, Container)
    story.there.off()
    story.there.boot()
    compound(story.there)
    polls = until(lambda: story.polls() > 0, "polls", 60)
    until(lambda: story.frames() > 20, "frames", 60)
    took = time.monotonic() - began
    return (
        f"polls {polls:.1f} s after its lines were there, pictures {took:.0f} s after the shutdown; "
        f"{story.nothing_lost()}"
    )


def killed(story: Story) -> str:
    longest = 0.0
    for _ in range(KILLS):
        story.burn()
        before = story.pid()
        story.there.out("kill", "-KILL", str(before))
        until(lambda: story.pid() not in {0, before}, "another process", 30)  # noqa: B023
        longest = max(longest, until(lambda: story.polls() > 0, "polls", 30))
        story.nothing_lost()
    return f"{KILLS} times, polling again at most {longest:.1f} s after its start; {story.nothing_lost()}"


def broken(story: Story) -> str:
    whole = (story.there.root / FILE).read_text(encoding="utf-8")
    before = story.pid()
    write(
        story,
        whole.replace('profile = "sonbest-sm7571b"', 'profile = "sonbest-nothing"', 1) + "\nnonsense = [",
    )
    reload = story.there.run("systemctl", "reload", UNIT)
    hang_up = story.there.run("kill", "-HUP", str(before))
    time.sleep(2)
    count = story.polls()
    until(lambda: story.polls() > count, "polls", 20)
    write(story, whole)
    assert reload.returncode != 0, "systemctl reload said nothing"
    assert hang_up.returncode == 0
    assert story.pid() == before
    assert story.there.show(UNIT, "ActiveState") == "active"
    story.there.out("systemctl", "reload", UNIT)
    assert story.pid() == before
    return f"systemctl reload fails, SIGHUP is told in the log, process {before} polls on; mended: reloads"


def purged(story: Story) -> str:
    story.there.out("apt-get", "remove", "-y", "compound-gateway")
    assert (story.there.root / FILE).exists(), "a removal took the configuration"
    assert (story.there.root / "var/lib/compound-gateway/journal.db").exists(), "a removal took the alerts"
    story.there.out("rm", "-r", f"/etc/systemd/system/{UNIT}.d")  # a person's own
    story.there.out("apt-get", "purge", "-y", "compound-gateway")
    places = ["/etc", "/usr", "/var/lib", "/run", "/lib", "/dev"]
    left = story.there.out("find", *places, "-xdev", "-name", "*compound-gateway*").split()
    assert not left, f"left: {left}"
    return "a removal keeps configuration and alerts; after a purge no file is left"


CHAPTERS: dict[str, Callable[[Story], str]] = {
    "installed by apt": install,
    "starts without its ports": starts,
    "a compound, by reload": configure,
    "polls and watches in its sandbox": works,
    "drop-ins": taken_up,
    "sandbox": sandboxed,
    "a fire is an alert": alarms,
    "a fall with its evidence": cameras.evidence,
    "a secret by LoadCredential": credential,
    "cameras apart": cameras.apart,
    "SIGSTOP": stopped,
    "kill -9": killed,
    "cameras: SIGSTOP": cameras.hung,
    "cameras: kill -9": cameras.killed,
    "cameras: out of memory": cameras.out_of_memory,
    "reboot": rebooted,
    "reload with mistakes": broken,
    "upgrade": upgrades.upgraded,
    "the new version is on trial": upgrades.passed,
    "an upgrade that is not healthy": upgrades.taken_back,
    "the next upgrade": upgrades.mended,
    "downgrade across a schema": upgrades.refused,
    "purge": purged,
}


def main() -> int:
    options = asked("Install and hurt the package under a real systemd.")
    if reason := missing():
        sys.stderr.write(f"{reason}\n")
        return 2
    with begun(options) as story:
        for what, chapter in CHAPTERS.items():
            story.look(what, lambda: chapter(story))  # noqa: B023
        if not all(step.good for step in story.steps):
            sys.stderr.write(story.there.run("journalctl", "-u", UNIT, "--no-pager", "-n", "80").stdout)
    sys.stdout.write(
        json.dumps({"suite": options.suite, "steps": [asdict(step) for step in story.steps]}) + "\n"
    )
    return 0 if all(step.good for step in story.steps) else 1


if __name__ == "__main__":
    sys.exit(main())
