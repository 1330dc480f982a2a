"""A message that came in from a broker, with all of its envelope that anybody looks at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came. `answer_to` and `correlation` are MQTT 5's response topic and correlation data."""

    topic: str
    content: bytes
    retained: bool = False
    answer_to: str | None = None
    correlation: bytes | None = None
