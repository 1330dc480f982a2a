"""The broker's templates keep gateways apart: tried against a real mosquitto; EMQX's by an evaluator of its rules."""

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway.core.config import MqttTable
from gateway.services.uplink import Uplink
from tests import uplink_parts as parts
from tests.broker import DEADLINE_S, Mosquitto, Pki, free_port, make_pki, needs_mosquitto, until
from tests.systemd import emqx_rules
from tests.uplink_parts import MemoryJournal

FOLDER = Path(__file__).parents[2] / "systemd" / "broker"
A, B = "hxtp-01", "hxtp-02"
OWN = ("availability", "alert", "health", "state/smoke-1", "evidence/ab12", "nonce", "outcome", "outcome/1f")
TOLD = ("command", "receipt")
ALL = (*OWN, *TOLD)
PROBE = "compound/v1/@desk/probe/street"
REFUSED = 0x87


def on(gateway: str, what: str) -> str:
    return f"compound/v1/{gateway}/{what}"


def expected(user: str, action: str, topic: str) -> bool:
    """Return what the rules mean: the table both brokers are held to."""
    _, _, branch, what = topic.split("/", 3)
    head = what.partition("/")[0]
    if user == "desk":
        if branch == "@desk":
            return True
        return head in TOLD if action == "publish" else head not in TOLD
    if user == "operator-1":
        if branch == "@desk":
            return False
        return head == "command" if action == "publish" else head in {"availability", "nonce", "outcome"}
    if user == "keeper":
        return branch != "@desk" and head in {"availability", "health", "state", "nonce"}
    if user != branch:
        return False
    return head not in TOLD if action == "publish" else head in TOLD


NOBODYS = (on(A, "state/a/b"), on(A, "else"), "compound/v1/else/x/y/z")
NAMELESS = on("", "alert")  # of no gateway: a + fits it, and no gateway writes it
TOPICS = (*(on(gateway, what) for gateway in (A, B) for what in ALL), PROBE, NAMELESS, *NOBODYS)
USERS = (A, B, "desk", "operator-1", "keeper")


def wanted(user: str, action: str, topic: str) -> bool:
    """Return the table, and no for what is none of ours."""
    if topic == NAMELESS:
        return user == "desk" and action == "subscribe"
    return topic not in NOBODYS and expected(user, action, topic)


# --- mosquitto ------------------------------------------------------------------------------------


class Party:
    """Somebody who comes to the broker with a certificate."""

    def __init__(
        self, street: "Street", certificate: str, *, port: int, client_id: str = "", clean: bool = True
    ) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.connected, self.subscribed = threading.Event(), threading.Event()
        self.ended = threading.Event()
        self.answers: dict[int, int] = {}
        self.answer: Callable[[str, bytes], tuple[str, bytes] | None] = lambda _topic, _content: None
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id or certificate, protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )  # fmt: skip
        context = ssl.create_default_context(cafile=street.pki.file("ca.crt"))
        if certificate:
            context.load_cert_chain(
                street.pki.file(f"{certificate}.crt"), street.pki.file(f"{certificate}.key")
            )
        self._client.tls_set_context(context)
        self._client.on_connect = lambda _c, _d, _f, reason, _p: (
            None if reason.is_failure else self.connected.set()
        )
        self._client.on_disconnect = lambda *_: self.ended.set()
        self._client.on_subscribe = lambda *_: self.subscribed.set()
        self._client.on_publish = self._published
        self._client.on_message = self._take
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0 if clean else 3600
        self._client.connect("localhost", port, 30, clean_start=clean, properties=properties)
        self._client.loop_start()

    def _published(self, _client: Any, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        self.answers[mid] = reason.value

    def _take(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))
        if (told := self.answer(message.topic, bytes(message.payload))) is not None:
            self._client.publish(*told, qos=1)

    def publish(self, topic: str, content: bytes = b"x", *, retain: bool = False) -> int:
        """Publish with QoS 1 and return the broker's reason."""
        number = self._client.publish(topic, content, qos=1, retain=retain).mid
        until(lambda: number in self.answers or self.ended.is_set(), what="an answer")
        return self.answers.get(number, REFUSED)

    def subscribe(self, *topics: str) -> None:
        """Subscribe and wait for the answer, whatever it is."""
        self.subscribed.clear()
        self._client.subscribe([(topic, 1) for topic in topics])
        assert self.subscribed.wait(DEADLINE_S)

    def close(self) -> None:
        """Go away."""
        self._client.disconnect()
        self._client.loop_stop()


@dataclass
class Street:
    """A broker by the templates, an authority for gateways and one for staff, and somebody who may all."""

    pki: Pki
    gateways: int
    staff: int
    parties: list[Party]

    def party(self, certificate: str, **how: Any) -> Party:
        """Have somebody come in by their own door and wait until they are in."""
        by_gateways = certificate.startswith("hxtp")
        party = Party(self, certificate, **{"port": self.gateways if by_gateways else self.staff, **how})
        self.parties.append(party)
        assert party.connected.wait(DEADLINE_S), certificate
        return party

    def settled(self, *parties: Party) -> None:
        """Wait until all that was published before has come to the parties: it goes in order."""
        witness = self.party("witness", client_id="witness-settles")
        for number, party in enumerate(parties):
            mark = f"mark/{number}"
            party.subscribe(mark)
            witness.publish(mark, b"done")
            until(lambda party=party, mark=mark: (mark, b"done") in party.heard, what="the mark")  # type: ignore[misc]
        witness.close()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    pki = make_pki(folder)
    pki.authority("staff")
    for gateway in (A, B, "+", "hxtp-01/alert"):
        pki.issue(gateway.replace("/", "-of-"), gateway)
    for name in ("desk", "operator-1", "keeper", "witness"):
        pki.issue(name, name, by="staff")
    street = Street(pki, free_port(), free_port(), [])
    rules = folder / "compound.acl"
    template = (FOLDER / "mosquitto.acl").read_text(encoding="utf-8")
    # a mark for each to hear, and one who may all: what the tests need, and no template has
    rules.write_text(f"{template}\npattern read mark/+\nuser witness\ntopic readwrite #\n", encoding="utf-8")
    rules.chmod(0o600)
    text = (FOLDER / "mosquitto.conf").read_text(encoding="utf-8")
    replaced = {
        "/etc/mosquitto/compound.acl": str(rules),
        "/etc/mosquitto/certs/gateways-ca.pem": pki.file("ca.crt"),
        "/etc/mosquitto/certs/staff-ca.pem": pki.file("staff.crt"),
        "/etc/mosquitto/certs/broker.pem": pki.file("broker.crt"),
        "/etc/mosquitto/certs/broker.key": pki.file("broker.key"),
        "/var/lib/mosquitto/": f"{folder}/",
        "listener 8883": f"listener {street.gateways} 127.0.0.1",
        "listener 8884": f"listener {street.staff} 127.0.0.1",
    }
    for old, new in replaced.items():
        assert old in text, f"the template has no {old} any more"
        text = text.replace(old, new)
    process = Mosquitto(folder, *text.splitlines())
    process.start()
    yield street
    for party in street.parties:
        party.close()
    process.kill()


@needs_mosquitto
@pytest.mark.parametrize("user", USERS)
def test_everybody_may_say_exactly_what_the_rules_mean(broker: Street, user: str) -> None:
    party = broker.party(user)
    said = {topic: party.publish(topic) != REFUSED for topic in TOPICS}
    assert said == {topic: wanted(user, "publish", topic) for topic in TOPICS}
    party.close()


@needs_mosquitto
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("greedy", [("#",), ("compound/v1/+/#", *TOPICS), ("compound/#", "+/#")])
def test_everybody_hears_exactly_what_the_rules_mean_whatever_they_ask_for(
    broker: Street, user: str, greedy: tuple[str, ...]
) -> None:
    party = broker.party(user)
    party.subscribe(*greedy)
    witness = broker.party("witness")
    for topic in TOPICS:
        witness.publish(topic, b"secret")
    broker.settled(party)
    heard = {topic for topic, _ in party.heard if not topic.startswith("mark/")}
    assert heard == {topic for topic in TOPICS if wanted(user, "subscribe", topic)}
    party.close()
    witness.close()


@needs_mosquitto
def test_the_desk_shares_its_work_and_hears_its_own_probe(broker: Street) -> None:
    first, second = (broker.party("desk", client_id=f"street-{number}") for number in (1, 2))
    gateway = broker.party(A)
    for desk in (first, second):
        desk.subscribe("$share/desk/compound/v1/+/alert", "$share/desk/compound/v1/@desk/probe/+")
    assert first.publish(PROBE, b"probe") == 0
    for number in range(40):
        gateway.publish(on(A, "alert"), str(number).encode())
    broker.settled(first, second)
    alerts = [content for desk in (first, second) for topic, content in desk.heard if topic == on(A, "alert")]
    assert sorted(alerts) == sorted(
        str(number).encode() for number in range(40)
    )  # each once, by one of the two
    assert sum(topic == PROBE for desk in (first, second) for topic, _ in desk.heard) == 1
    for party in (first, second, gateway):
        party.close()


@needs_mosquitto
def test_a_gateway_cannot_share_in_what_is_for_another(broker: Street) -> None:
    thief, owner, desk = broker.party(B), broker.party(A), broker.party("desk")
    thief.subscribe(f"$share/x/{on(A, 'command')}", f"$share/desk/{on(A, 'receipt')}", on(A, "command"))
    owner.subscribe(on(A, "command"))
    desk.publish(on(A, "command"), b"open")
    desk.publish(on(A, "receipt"), b"{}")
    broker.settled(thief, owner)
    assert [topic for topic, _ in thief.heard if not topic.startswith("mark/")] == []
    assert (on(A, "command"), b"open") in owner.heard
    for party in (thief, owner, desk):
        party.close()


@needs_mosquitto
def test_a_gateway_that_calls_itself_another_takes_over_no_session(broker: Street) -> None:
    owner = broker.party(A, clean=False)
    owner.subscribe(on(A, "receipt"))
    thief = broker.party(B, client_id=A, clean=False)
    desk = broker.party("desk")
    desk.publish(on(A, "receipt"), b"yours")
    broker.settled(owner)
    assert (on(A, "receipt"), b"yours") in owner.heard
    assert not owner.ended.is_set()
    assert thief.heard == []
    for party in (owner, thief, desk):
        party.close()


@needs_mosquitto
def test_a_gateways_certificate_does_not_open_the_desks_door(broker: Street) -> None:
    party = Party(broker, A, port=broker.staff)
    broker.parties.append(party)
    assert party.ended.wait(DEADLINE_S)
    assert not party.connected.is_set()


@needs_mosquitto
def test_without_a_certificate_nobody_gets_in(broker: Street) -> None:
    for port in (broker.gateways, broker.staff):
        try:
            party = Party(broker, "", port=port, client_id="anonymous")
        except (ssl.SSLError, ConnectionError):
            continue
        broker.parties.append(party)
        assert party.ended.wait(DEADLINE_S)
        assert not party.connected.is_set()


@needs_mosquitto
@pytest.mark.parametrize("name", ["+", "hxtp-01-of-alert"])
def test_a_name_with_a_wildcard_or_a_slash_in_it_is_nobody(broker: Street, name: str) -> None:
    party = Party(broker, name, port=broker.gateways)
    broker.parties.append(party)
    until(lambda: party.connected.is_set() or party.ended.is_set(), what="an answer")
    if party.ended.is_set():
        return  # turned away at the door
    party.subscribe("#")
    said = {topic for topic in TOPICS if party.publish(topic) != REFUSED}
    assert said == set()
    witness = broker.party("witness")
    for topic in TOPICS:
        witness.publish(topic, b"secret")
    witness.close()
    party.publish(TOPICS[0])  # its answer comes behind whatever was on the way
    assert [topic for topic, _ in party.heard if topic.startswith("compound/")] == []


@needs_mosquitto
def test_what_is_retained_can_be_cleared_by_its_gateway_and_the_keeper_and_by_nobody_else(
    broker: Street,
) -> None:
    state = on(A, "state/smoke-1")
    owner, other, keeper = broker.party(A), broker.party(B), broker.party("keeper")
    for clears, gone in ((other, False), (keeper, True), (owner, True)):
        owner.publish(state, b"{}", retain=True)
        clears.publish(state, b"", retain=True)
        desk = broker.party("desk")
        desk.subscribe(state)
        broker.settled(desk)
        assert ((state, b"{}") not in desk.heard) is gone
        desk.close()
    owner.publish(state, b"", retain=True)
    for party in (owner, other, keeper):
        party.close()


@needs_mosquitto
def test_a_real_uplink_delivers_and_hears_its_receipts_under_these_rules(broker: Street) -> None:
    desk = broker.party("desk")
    desk.subscribe("$share/desk/compound/v1/+/alert", "compound/v1/+/availability", "compound/v1/+/health")
    desk.answer = lambda topic, content: (  # receipts, as a desk gives them
        on(A, "receipt"),
        b'{"epoch": 1, "stored": [[%d, %d]]}' % ((int(json.loads(content)["id"].partition(".")[2]),) * 2),
    ) if topic == on(A, "alert") else None  # fmt: skip
    journal = MemoryJournal()
    table = MqttTable(
        url=f"mqtts://localhost:{broker.gateways}", confirm="desk", ca_file=broker.pki.file("ca.crt"),
        cert_file=broker.pki.file(f"{A}.crt"), key_file=broker.pki.file(f"{A}.key"),
    )  # fmt: skip

    async def scenario() -> None:
        uplink = Uplink(
            table, A, journal=journal, states=lambda _: None, health=lambda: b"{}", submit=journal.submit
        )
        task = asyncio.create_task(uplink.run())
        try:
            journal.submit_alerts(3)
            await parts.until(lambda: uplink.statistics().confirmed == 3, what="three receipts")
            assert uplink.statistics().refused == 0, uplink.statistics()
        finally:
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(scenario())
    topics = {topic for topic, _ in desk.heard}
    assert {on(A, "alert"), on(A, "availability"), on(A, "health")} <= topics
    desk.close()


# --- EMQX, by its rules only ----------------------------------------------------------------------

RULES = emqx_rules.parse((FOLDER / "acl.conf").read_text(encoding="utf-8"))


@pytest.mark.parametrize("user", [*USERS, "operator-27"])
@pytest.mark.parametrize("action", ["publish", "subscribe"])
def test_emqx_rules_mean_the_same(user: str, action: str) -> None:
    as_ = "operator-1" if user.startswith("operator") else user
    said = {topic: emqx_rules.allows(RULES, user, action, topic) for topic in TOPICS}
    assert said == {topic: wanted(as_, action, topic) for topic in TOPICS}


@pytest.mark.parametrize(
    "user", ["", "+", "#", "hxtp-01/alert", "operator-", "operator-x1", "Desk", "undefined"]
)
def test_emqx_gives_a_strange_name_nothing_of_anybodys(user: str) -> None:
    for action in ("publish", "subscribe"):
        for topic in (*TOPICS, "#", "compound/#", "compound/v1/+/command"):
            assert not emqx_rules.allows(RULES, user, action, topic), (user, action, topic)


@pytest.mark.parametrize("filter_", ["#", "compound/#", "compound/v1/+/#", on("+", "command"), on("+", "receipt"),
                                     f"$share/x/{on(A, 'command')}", f"$share/desk/{on('+', 'command')}"])  # fmt: skip
def test_emqx_refuses_a_gateway_that_asks_for_more_than_its_own(filter_: str) -> None:
    assert not emqx_rules.allows(RULES, B, "subscribe", filter_)


def test_emqx_lets_the_desk_share_its_work() -> None:
    for filter_ in ("$share/desk/compound/v1/+/alert", "$share/desk/compound/v1/@desk/probe/+"):
        assert emqx_rules.allows(RULES, "desk", "subscribe", filter_)


def test_the_evaluator_itself_refuses_what_it_does_not_understand() -> None:
    for text in ("{allow, all}", "{allow, all};", "allow."):
        with pytest.raises((ValueError, IndexError)):
            emqx_rules.parse(text)
    assert emqx_rules.allows(emqx_rules.parse("{allow, all}."), "x", "publish", "y")
