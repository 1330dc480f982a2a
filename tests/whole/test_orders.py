"""Orders from afar, through a whole gateway: what is right opens a door once, and nothing else opens it at all."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.rig import ENVIRONMENT
from tests.broker import needs_mosquitto, until
from tests.orders import COMMITTEE, DESK, SETUP, STRANGER, WARDEN, hs256, unsigned
from tests.whole.orders import COMMAND, Afar, afar
from tests.whole.test_gateway import FAKETIME, name_of

pytestmark = needs_mosquitto


BRIEF_S = 2.0  # drawn so long that the busiest machine still reads it back as it was written


def ready(far: Afar) -> None:
    until(lambda: far.street.state("door-1-1").get("online"), what="the door online")
    far.fresh()


def refused(far: Afar, order: bytes, subject: str) -> str:
    """Give an order that must be refused; return why it was."""
    far.give(order)
    reason: str = far.outcome(subject, "refused")["data"]["detail"].partition(":")[0]
    assert not far.strike()
    return reason


def test_a_signed_order_opens_the_door_and_the_outcome_says_what_the_door_reported(tmp_path: Path) -> None:
    with afar(tmp_path) as far, far.street.gateway():
        ready(far)
        outcome = far.order(DESK, arguments={"seconds": 2})
        assert far.strike()
        assert (outcome["data"]["result"], outcome["data"]["detail"]) == ("done", "read back")
        assert outcome["data"]["origin"] == "remote:desk/warden-1"


def test_every_attack_is_refused_and_on_record_and_five_of_them_raise_an_alert(tmp_path: Path) -> None:
    with afar(tmp_path) as far, far.street.gateway() as gateway:
        ready(far)
        good = far.claims(DESK)
        altered = bytearray(DESK.sign(good))
        altered[-40] = ord("B") if altered[-40] == ord("A") else ord("A")
        for order, reason in (
            (STRANGER.sign(good, kid="desk"), "signature"),
            (unsigned(good, "desk", "A" * 86), "shape"),
            (hs256(good, DESK.table.key.encode(), "desk"), "shape"),
            (bytes(altered), "signature"),
        ):
            far.give(order)
            until(lambda reason=reason: reasons(far)[-1:] == [reason], what=reason)  # type: ignore[misc]
            assert not far.strike()
        another = far.claims(DESK, aud="/compound/other")
        assert refused(far, DESK.sign(another), another["jti"]) == "audience"
        alert = far.street.wait_for_alert("raised", kind="security.commands_refused")
        assert alert["data"]["severity"] == "major"
        now = int(time.time())
        out_of_time = (
            (DESK, {"iat": now - 60, "exp": now - 40}, "expired"),
            (DESK, {"iat": now + 60, "exp": now + 80}, "future"),
        )  # without a trusted clock these are no attack: see gateway/core/gate.py and its tests
        synced = far.pool()["clock"] == "synced"
        for operator, changed, reason in (
            *(out_of_time if synced else ()),
            (WARDEN, {}, "place"),
            (COMMITTEE, {}, "role"),
            (DESK, {"target": "door-9"}, "order"),
        ):
            outcome = far.order(operator, **changed)
            assert outcome["data"]["result"] == "refused"
            assert outcome["data"]["detail"].startswith(reason + ":")
            assert outcome["data"]["origin"].startswith("refused:")
            assert not far.strike()
        log = gateway.log.read_text(encoding="utf-8")
        assert all(secret not in log for secret in ("Traceback", good["nonce"], "eyJ", "PRIVATE"))
        rows = exported(gateway.file)
        assert [row for row in rows if row["body"]["type"] == "command"] == []
        assert len([row for row in rows if row["body"]["type"] == "outcome"]) == (10 if synced else 8)


def reasons(far: Afar) -> list[str]:
    return [each["data"]["detail"].partition(":")[0] for each in far.outcomes()]


def exported(file: Path) -> list[dict[str, dict[str, object]]]:
    command = [sys.executable, "-m", "gateway", "export", "--since", "1h", "-c", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_captured_order_opens_nothing_again_neither_now_nor_after_a_restart(tmp_path: Path) -> None:
    with afar(tmp_path) as far:
        with far.street.gateway():
            ready(far)
            claims = far.claims(DESK, arguments={"seconds": BRIEF_S})
            captured = DESK.sign(claims)
            far.give(captured)
            first = far.outcome(claims["jti"], "done")
            until(lambda: not far.strike(), what="the strike falls")
            assert refused(far, captured, claims["jti"]) == "nonce"
        pool = far.nonces()
        far.street.far_end.heard.clear()
        with far.street.gateway():
            far.fresh(pool)
            assert refused(far, captured, claims["jti"]) == "nonce"
            again = DESK.sign(claims | {"nonce": far.nonces()[0]})
            far.give(again)
            assert far.outcome(claims["jti"], "done")["id"] == first["id"], "the old outcome, not a new one"
            assert not far.strike()


def test_a_retained_order_is_refused_and_one_left_at_the_broker_is_never_even_sent(tmp_path: Path) -> None:
    with afar(tmp_path) as far:
        with far.street.gateway():
            ready(far)
            claims = far.claims(DESK)
            far.give(DESK.sign(claims), retain=True)  # to who listens already it comes without the flag
            far.outcome(claims["jti"], "done")
        pool = far.nonces()
        with far.street.gateway():
            other = far.claims(DESK, arguments={"seconds": BRIEF_S}, nonce=far.fresh(pool))
            far.give(DESK.sign(other))
            far.outcome(other["jti"], "done")
            told = {
                each["id"]: each["data"]["result"] for each in far.outcomes(claims["jti"])
            }  # twice is once
            assert list(told.values()) == ["done"]


def test_a_database_from_an_older_copy_lets_no_old_order_in(tmp_path: Path) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    with afar(tmp_path) as far:
        with far.street.gateway():
            ready(far)
        shutil.copytree(state, copy)
        pool = far.nonces()
        with far.street.gateway():
            claims = far.claims(DESK, arguments={"seconds": BRIEF_S}, nonce=far.fresh(pool))
            captured = DESK.sign(claims)
            far.give(captured)
            far.outcome(claims["jti"], "done")
        shutil.rmtree(state)
        shutil.copytree(copy, state)
        pool = far.nonces()
        with far.street.gateway():
            far.fresh(pool)
            until(lambda: not far.strike(), what="the strike falls")
            assert refused(far, captured, claims["jti"]) == "nonce"


@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
def test_a_clock_set_back_a_year_neither_stops_good_orders_nor_lets_old_ones_in(tmp_path: Path) -> None:
    jump = tmp_path / "jump"
    jump.write_text("+0\n", encoding="ascii")
    environment = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(jump),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with afar(tmp_path) as far, far.street.gateway(environment=environment):
        ready(far)
        claims = far.claims(DESK, arguments={"seconds": BRIEF_S})
        captured = DESK.sign(claims)
        far.give(captured)
        far.outcome(claims["jti"], "done")
        until(lambda: not far.strike(), what="the strike falls")
        jump.write_text("-365d\n", encoding="ascii")
        assert refused(far, captured, claims["jti"]) == "nonce"
        outcome = far.order(DESK, arguments={"seconds": BRIEF_S})
        assert outcome["data"]["result"] == "done"
        assert outcome["time"] < claims_year(claims)


def claims_year(claims: dict[str, int]) -> str:
    return time.strftime("%Y-%m", time.gmtime(claims["iat"]))


def test_an_alert_is_acknowledged_and_the_gateway_told_to_reload_from_afar(tmp_path: Path) -> None:
    with afar(tmp_path) as far, far.street.gateway() as gateway:
        ready(far)
        far.street.sim.tell("set smoke-2-1-1 smoke 900")
        alert = far.street.wait_for_alert("raised", kind="fire.smoke")["subject"]
        silenced = far.order(DESK, target=alert, action="silence", arguments={"minutes": 5})
        assert silenced["data"]["result"] == "refused", "a fire is never put aside"
        outcome = far.order(COMMITTEE, target=alert, action="acknowledge", arguments={"note": "on the way"})
        assert outcome["data"]["result"] == "done"
        event = far.street.wait_for_alert("acknowledged", kind="fire.smoke")
        assert (event["data"]["by"], event["data"]["note"]) == ("remote:committee/warden-1", "on the way")
        told = far.order(DESK, target="bench", action="reload", arguments={})
        assert told["data"]["detail"].startswith("role:"), "the duty room sets nothing up"
        pool = far.nonces()
        claims = far.claims(SETUP, target="bench", action="reload", arguments={})
        gateway.file.write_text(far.street.text.replace('id = "bench"', 'id = "bench"\nname = "新名字"'))
        far.give(SETUP.sign(claims))
        assert far.outcome(claims["jti"], "done")["data"]["device"] == "bench"
        until(lambda: not set(pool) & set(far.nonces()), what="the nonces of the next life")
        assert name_of(gateway) == "新名字"


def test_without_operators_nothing_is_published_or_listened_to(tmp_path: Path) -> None:
    with afar(tmp_path) as far:
        far.street.text = far.street.text.partition("[[operator]]")[0]
        with far.street.gateway():
            until(lambda: far.street.state("door-1-1").get("online"), what="the door online")
            far.give(DESK.order())
            time.sleep(1)
            assert far.outcomes() == []
            assert far.nonces() == []


def test_the_tool_fetches_a_nonce_sends_the_order_and_shows_what_came_of_it(tmp_path: Path) -> None:
    def sign(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "gateway", "sign", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=ENVIRONMENT, cwd=tmp_path
        )

    table = sign("keygen", "desk-2").stdout
    assert (tmp_path / "desk-2.key").stat().st_mode & 0o777 == 0o600
    with afar(tmp_path) as far:
        far.street.text += "\n" + table
        with far.street.gateway() as gateway:
            ready(far)
            way = ("--key", "desk-2.key", "--person", "warden-1", "--broker", far.street.broker.url)
            done = sign("bench", "door-1-1", "unlock", "seconds=2", *way)
            assert done.returncode == 0, done.stderr
            assert "read back" in done.stdout
            assert far.strike()
            no = sign("bench", "door-9", "unlock", *way, "--json")
            assert no.returncode == 1
            assert json.loads(no.stdout)["data"]["result"] == "refused"
            assert "PRIVATE" not in gateway.log.read_text(encoding="utf-8")
            answers = [heard.topic for heard in far.street.far_end.heard if "/outcome/" in heard.topic]
            assert len(answers) == 2, "answered where the tool asked to be, too"


def test_a_flood_of_replays_is_counted_to_the_last_and_leaves_a_few_lines(tmp_path: Path) -> None:
    with afar(tmp_path) as far, far.street.gateway() as gateway:
        ready(far)
        claims = far.claims(DESK, arguments={"seconds": 0.5})
        (tmp_path / "order").write_bytes(DESK.sign(claims))
        command = [sys.executable, "-m", "tests.bench.flooder", str(far.street.broker.port), COMMAND,
                   str(tmp_path / "order"), "5000", "2"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
        sent = json.loads(done.stdout)["sent"]
        assert sent > 5_000
        until(lambda: gateway.ask("status")["orders"]["refused"] == sent - 1, what="all of them counted")
        assert gateway.ask("status")["orders"]["orders"] == 1
        assert not far.strike()
        far.order(DESK, arguments={"seconds": 0.5})
        assert len(far.outcomes()) == 1 + 10 + 1
        assert all(bus["polls"] for bus in gateway.ask("status")["buses"])


DOOR = """
[[door]]
name = "gate-2-1"
place = { building = "2", unit = "1" }
strike = "door-2-1"
contact = "door-2-1.contact"
"""


def test_a_door_of_parts_is_opened_and_locked_down_by_who_may_and_its_strike_by_nobody(
    tmp_path: Path,
) -> None:
    with afar(tmp_path) as far:
        far.street.text += DOOR
        with far.street.gateway():
            until(lambda: far.street.state("door-2-1").get("online"), what="the strike online")
            opened = far.order(WARDEN, target="gate-2-1", arguments={"seconds": 1})
            assert opened["data"]["result"] == "done", opened
            until(lambda: not far.strike("door-2-1"), what="the strike falls")
            past = far.order(WARDEN, target="door-2-1", arguments={"seconds": 1})
            assert past["data"]["result"] == "refused"
            assert "is the strike of gate-2-1" in past["data"]["detail"]
            down = far.order(DESK, target="gate-2-1", action="lock_down", arguments={})
            assert down["data"]["result"] == "done", down
            shut = far.order(WARDEN, target="gate-2-1", arguments={"seconds": 1})
            assert shut["data"]["result"] != "done", "a door that is locked down opens for nobody"
            assert not far.strike("door-2-1")
