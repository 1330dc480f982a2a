"""A decoder asked for by name gives the same pictures and times; one that gives nothing is left for the software."""

from pathlib import Path
from typing import cast

import av
import pytest

from gateway.vision.decoder import GIVE_UP_AFTER, Decoder
from tests.vision.films import film


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "street.mp4", range(100))


def decoded(path: Path, stateful: str) -> tuple[str, list[tuple[int | None, bytes]]]:
    """Return which decoder it was in the end, and all pictures with their times."""
    with av.open(str(path)) as container:
        decoder = Decoder(container.streams.video[0], stateful=stateful)
        pictures = [
            (frame.pts, bytes(frame.planes[0]))
            for packet in container.demux(container.streams.video[0])
            for frame in decoder.decode(packet)
        ]
        return decoder.name, pictures


def test_a_decoder_asked_for_by_name_gives_the_same_pictures_at_the_same_times(street: Path) -> None:
    """The software's own decoder stands in for the hardware's: it is opened and fed the same way."""
    name, pictures = decoded(street, "{}")
    assert name == "h264"
    assert pictures == decoded(street, "no-such-decoder")[1]
    assert len(pictures) == 100


def test_a_decoder_that_gives_nothing_is_left_for_the_software(street: Path) -> None:
    """A decoder for another coding eats the packets and gives no picture, as broken hardware does."""
    name, pictures = decoded(street, "mjpeg")
    assert name == "h264"
    assert 100 - GIVE_UP_AFTER - 30 <= len(pictures) <= 100 - GIVE_UP_AFTER


def test_an_empty_packet_for_a_picture_that_was_left_out_does_not_end_the_film(street: Path) -> None:
    """Theora in Ogg has them; FFmpeg takes one without data for the end, and decodes nothing more."""
    with av.open(str(street)) as container:
        stream = container.streams.video[0]
        decoder, pictures = Decoder(stream), 0
        for number, packet in enumerate(container.demux(stream)):
            if number == 30:
                empty = cast("av.Packet[av.VideoStream]", av.Packet(0))
                empty.dts = empty.pts = packet.dts
                pictures += len(decoder.decode(empty))
            pictures += len(decoder.decode(packet))
    assert (pictures, decoder.errors) == (100, 0)
