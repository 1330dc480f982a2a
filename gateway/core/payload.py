"""What goes upstream as bytes: alert and outcome events, device states, health. Pure, and bounded by construction.

How it works: every string that came from outside is clipped to a number of UTF-8 bytes on a character
boundary and loses its control characters (JSON would write one of those as six bytes; a quote as two at
most), and every list has a greatest length, so that no payload can pass `LARGEST`. The shapes are published
as JSON schemas in `gateway/core/schemas`. Alerts and outcomes are CloudEvents 1.0 in structured JSON
(CloudEvents JSON format 1.0.2, section 3); `id` is `epoch.seq` and, with `source`, unique for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from drivers.api import Quality, Value
from gateway.core import outcomes
from gateway.core.events import AlertBody, DoorBody, Event, OutcomeBody, Place

LARGEST = 65_536
"""Bytes no payload passes; the brokers of the reference take far more."""

CLOUD_EVENT = "application/cloudevents+json"
JSON = "application/json"
PART = "application/vnd.compound.evidence-part"
MEDIA = {"still": "image/jpeg", "clip": "video/mp4"}
ONLINE, OFFLINE = b"online", b"offline"

_NAME, _LINE, _WORDS, _LIST, _POINTS = 128, 200, 4_000, 48, 128
_LAST_SECOND = 253_402_300_799.0  # 9999-12-31T23:59:59Z, the end of RFC 3339
_CONTROL = dict.fromkeys((*range(32), 127), " ")
_NOWHERE = Place()
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class PointState:
    """The latest value of one point. `time` is wall seconds since 1970."""

    point: str
    value: Value | None
    quality: Quality
    time: float
    unit: str | None = None


def topic(gateway_id: str, *parts: str) -> str:
    """Return `compound/v1/<gateway>/<parts>`."""
    return "/".join(("compound/v1", gateway_id, *parts))


def rfc3339(seconds: float) -> str:
    """Return wall seconds as UTC with milliseconds; a time outside RFC 3339 becomes its nearest end."""
    moment = datetime.fromtimestamp(min(max(0.0, seconds), _LAST_SECOND), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clip(text: str, size: int) -> str:
    """Return `text` in at most `size` UTF-8 bytes, cut on a character boundary and ended by an ellipsis."""
    clean = text.translate(_CONTROL)
    encoded = clean.encode("utf-8", "replace")
    if len(encoded) <= size:
        return encoded.decode()
    return encoded[: size - len("…".encode())].decode("utf-8", "ignore") + "…"


def alert_event(event: Event, gateway_id: str, resident: str = "") -> bytes:
    """Return one step of an alert's life as a CloudEvent. The event must carry an AlertBody.

    `resident` is the code of whom it concerns: by that a desk finds who may see more of it than that it is there.
    """
    body = event.body
    if not isinstance(body, AlertBody):
        raise TypeError(f"{event.id} is a {type(body).__name__}, not an alert")
    data = {
        "kind": clip(body.kind, _NAME),
        "severity": body.severity,
        "certainty": body.certainty,
        "state": clip(body.state, _NAME),
        "device": _name(body.device),
        "point": _name(body.point),
        "value": body.value,
        "unit": _name(body.unit),
        "place": _place(body.place),
        "text": {"zh": clip(body.text.zh, _WORDS), "en": clip(body.text.en, _WORDS)},
        "first_seen": rfc3339(body.first_seen),
        "count": body.count,
        "clock": body.clock,
        "devices": _names(body.devices),
        "evidence": _names(body.evidence),
    }
    if resident:
        data["resident"] = clip(resident, _NAME)
    if body.by is not None:
        data["by"] = clip(body.by, _LINE)
    if body.note is not None:
        data["note"] = clip(body.note, _WORDS)
    return _cloud_event(event, gateway_id, f"compound.alert.{body.change}", body.alert, data)


def outcome_event(event: Event, gateway_id: str) -> bytes:
    """Return what came of a command as a CloudEvent, and nothing of a resident. The event must carry an OutcomeBody."""
    body = event.body
    if not isinstance(body, OutcomeBody):
        raise TypeError(f"{event.id} is a {type(body).__name__}, not an outcome")
    body = outcomes.told(body)
    data = {
        "device": clip(body.device, _NAME),
        "action": clip(body.action, _NAME),
        "result": body.result,
        "detail": clip(body.detail, _WORDS),
        "origin": clip(body.origin, _LINE),
        "clock": event.clock,
    }
    return _cloud_event(event, gateway_id, f"compound.outcome.{body.result}", body.id, data)


def state(
    device: str,
    points: Sequence[PointState],
    *,
    online: bool | None = None,
    place: Place = _NOWHERE,
    about: Mapping[str, str] | None = None,
) -> bytes:
    """Return the latest readings of one device; `online` is None while nothing was heard of it.

    `about` is what seldom changes and a registry wants to know: its `category`, `profile` and `label`.
    """
    told = points[:_POINTS]
    return _encoder.encode(
        {
            "device": clip(device, _NAME),
            "online": online,
            **{name: clip(word, _NAME) for name, word in (about or {}).items() if word},
            "time": rfc3339(max((point.time for point in told), default=0.0)),
            "place": _place(place),
            "points": {
                clip(point.point, _NAME // 2): {
                    "value": point.value,
                    "unit": None if point.unit is None else clip(point.unit, _NAME // 4),
                    "quality": point.quality,
                    "time": rfc3339(point.time),
                }
                for point in told
            },
        }
    )


def door_state(body: DoorBody, time: float, *, place: Place = _NOWHERE) -> bytes:
    """Return how a door stands, for its own `state` topic. `time` is wall seconds since 1970."""
    return _encoder.encode(
        {
            "door": clip(body.door, _NAME),
            "state": body.state,
            "mode": body.mode,
            "why": clip(body.why, _LINE),
            "kinds": list(body.kinds),
            "time": rfc3339(time),
            "place": _place(place),
        }
    )


def evidence_part(
    *, sha256: str, what: str, camera: str, made_at: float, size: int, offset: int, data: bytes
) -> bytes:
    """Return one part of a still or clip: a line of JSON that says what it is, then the bytes themselves.

    The parts of one sum put together by `offset` are `size` bytes that have that sum.
    """
    head = {
        "sha256": sha256,
        "what": what,
        "media": MEDIA.get(what, "application/octet-stream"),
        "camera": clip(camera, _NAME),
        "time": rfc3339(made_at),
        "size": size,
        "offset": offset,
        "length": len(data),
    }
    return _encoder.encode(head) + b"\n" + data


def health(document: Mapping[str, object]) -> bytes:
    """Return the health document; one too large loses its longest parts, and says so in `truncated`."""
    encoded = _encoder.encode(document)
    if len(encoded) <= LARGEST:
        return encoded
    sizes = {key: len(_encoder.encode(value)) for key, value in document.items()}
    kept, left_out = dict(document), []
    for key in sorted(sizes, key=lambda key: -sizes[key]):
        left_out.append(clip(key, _NAME))
        del kept[key]
        encoded = _encoder.encode(kept | {"truncated": left_out})
        if len(encoded) <= LARGEST:
            break
    return encoded


def _cloud_event(event: Event, gateway_id: str, kind: str, subject: str, data: object) -> bytes:
    """Return the envelope. `previous` is our extension: the alert event before this one, for gap detection."""
    envelope = {
        "specversion": "1.0",
        "type": kind,
        "source": f"/compound/{gateway_id}",
        "id": event.id,
        "subject": clip(subject, _NAME),
        "time": rfc3339(event.time),
        "datacontenttype": JSON,
    }
    if event.previous:
        envelope["previous"] = f"{event.epoch}.{event.previous}"
    return _encoder.encode({**envelope, "data": data})


def _name(text: str | None) -> str | None:
    return None if text is None else clip(text, _NAME)


def _names(texts: Sequence[str]) -> list[str]:
    """Return at most `_LIST` names; the last is an ellipsis where some were left out."""
    if len(texts) <= _LIST:
        return [clip(text, _NAME) for text in texts]
    return [*(clip(text, _NAME) for text in texts[: _LIST - 1]), "…"]


def _place(place: Place) -> dict[str, str]:
    """Return the parts of a place that are known, biggest first."""
    parts = ((name, getattr(place, name)) for name in Place.__struct_fields__)
    return {name: clip(value, _LINE) for name, value in parts if value}
