"""An address is taken apart, and nothing of its password is ever shown."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.vision.address import parse
from gateway.vision.source_errors import SourceError


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("/var/film.mp4", "file"), ("film.mp4", "file"), ("file:///var/film.mp4", "file"), ("c:film.mp4", "file"),
        ("/dev/video0", "camera"), ("/dev/v4l/by-id/usb-cam-index0", "camera"),
        ("rtsp://cam/1", "rtsp"), ("RTSPS://cam/1", "rtsp"), ("http://cam/mjpg", "http"), ("https://cam/x", "http"),
    ],
)  # fmt: skip
def test_each_kind_is_told(url: str, kind: str) -> None:
    assert parse(url).kind == kind


@pytest.mark.parametrize(
    "url",
    [
        "ftp://cam/x",
        "concat://a",
        "udp://239.0.0.1:1",
        "rtsp:///nohost",
        "rtsp://[::1/x",
        "rtsp://u:p@[fe80::/",
    ],
)
def test_other_kinds_are_refused(url: str) -> None:
    with pytest.raises(SourceError) as refused:
        parse(url)
    assert refused.value.reason == "scheme"


def test_user_and_password_of_the_address_are_used_and_not_shown() -> None:
    address = parse("rtsp://admin:geheim@10.0.0.7:554/Streaming/Channels/101")
    assert address.shown == "rtsp://10.0.0.7:554/Streaming/Channels/101"
    assert address.full() == "rtsp://admin:geheim@10.0.0.7:554/Streaming/Channels/101"
    assert "geheim" not in repr(address)


def test_capitals_of_a_scheme_are_what_ffmpeg_knows() -> None:
    assert parse("RTSP://me:it@Cam/1").full() == "rtsp://me:it@Cam/1"


def test_a_password_alone_is_for_admin() -> None:
    assert parse("rtsp://cam/1", password="x").full() == "rtsp://admin:x@cam/1"


def test_a_password_in_the_path_is_not_shown_either() -> None:
    address = parse("rtsp://cam/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp")
    assert "tlJwpbo6" not in address.shown
    assert "tlJwpbo6" not in repr(address)
    assert "tlJwpbo6" in address.full()
    assert "geheim" not in parse("http://cam/video.mjpg?user=a&pwd=geheim&x=1").shown


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_password_comes_through_as_it_is(user: str, password: str) -> None:
    try:
        full = parse("rtsp://cam:554/a", user=user, password=password).full()
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text
    userinfo, _, host = urlsplit(full).netloc.rpartition("@")
    assert host == "cam:554"
    assert [unquote(part) for part in userinfo.split(":")] == [user, password]
