"""The still of a fall on the page: served to those who know its sum, shown by Chromium under its alert."""

import hashlib
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.core.payload import evidence_part
from gateway.desk.server import HEADERS, BoardServer
from tests.broker import until
from tests.browser import browser, needs_browser
from tests.gateway.desk.test_board import TOPIC, message
from tests.interop.test_page import answers, served

STILL = cv2.imencode(".jpg", np.full((720, 960), 120, np.uint8))[1].tobytes()
SUM = hashlib.sha256(STILL).hexdigest()
ALERT = message(7).replace(
    b'"data": {}',
    '"data": {"kind": "falling.object", "severity": "major", "state": "active_unacked", "count": 1,'
    f' "first_seen": "2026-11-23T08:15:00Z", "value": null, "unit": null, "evidence": ["{SUM}", "{"0" * 64}"],'
    ' "text": {"zh": "2 栋 7 楼附近有高空抛物", "en": "Object thrown <b>from</b> floor 7"}}'.encode(),
)
PART = evidence_part(
    sha256=SUM, what="still", camera="facade", made_at=0.0, size=len(STILL), offset=0, data=STILL
)
EVIDENCE = f"compound/v1/hxtp-01/evidence/{SUM}"
LOADED = "const i = document.querySelector('li .photo img'); return i && i.complete && i.naturalWidth"


def test_a_picture_is_served_as_what_it_is_and_nothing_else_is_served() -> None:
    server = BoardServer()
    server.board.receive(EVIDENCE, PART)
    with served(server) as (url, _):
        until(lambda: answers(url), what="the page")
        with urllib.request.urlopen(f"{url}/evidence/{SUM}", timeout=10) as answer:
            assert answer.read() == STILL
            assert answer.headers["Content-Type"] == "image/jpeg"
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        for other in ("0" * 64, SUM.upper(), "..%2f..%2fpage%2findex.html", f"{SUM}.jpg"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{url}/evidence/{other}", timeout=10)
            refused.value.close()
            assert refused.value.code == 404


@needs_browser
@pytest.mark.parametrize(
    ("language", "alt"),
    [
        ("zh-CN", "2 栋 7 楼附近有高空抛物：现场截图，点开看大图"),
        ("en-US", "Object thrown <b>from</b> floor 7: what the camera saw; opens full size"),
    ],
)
def test_a_browser_shows_the_still_under_its_alert(tmp_path: Path, language: str, alt: str) -> None:
    server = BoardServer()
    server.board.receive(TOPIC, ALERT)
    server.board.receive(EVIDENCE, PART)
    with served(server) as (url, _), browser(tmp_path, language) as window:
        window.open(url)
        until(lambda: window.run(LOADED) == 960, what="the picture")
        assert window.run("return document.querySelector('li .photo img').alt") == alt
        assert window.run("return document.querySelector('li .photo').href") == f"{url}/evidence/{SUM}"
        assert window.run("return document.querySelectorAll('li .photo').length") == 1
        assert window.run("return document.documentElement.scrollWidth <= window.innerWidth")


@needs_browser
def test_a_still_that_comes_after_its_alert_is_shown_and_fetched_only_once(tmp_path: Path) -> None:
    server = BoardServer()
    server.board.receive(TOPIC, ALERT)
    with served(server) as (url, receive), browser(tmp_path, "zh-CN") as window:
        window.open(url)
        until(lambda: "高空抛物" in window.text(), what="the alert")
        assert window.run("return document.querySelectorAll('li img').length") == 0
        receive(EVIDENCE, PART)
        until(lambda: window.run(LOADED) == 960, what="the picture")
        window.run("document.querySelector('li .photo').id = 'first'")
        window.click("#language")
        until(lambda: "Object thrown" in window.text(), what="the English page")
        assert window.run("return document.querySelector('li .photo').id") == "first"
