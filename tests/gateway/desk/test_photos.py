"""Photos keep their picture and tell nothing else; what is broken or none is refused, whatever its bytes."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk.media import media_of
from gateway.desk.photos import JPEG, PNG, WEBP, PhotoError, bare

SECRET = b"29.56N 106.57E"


def segment(marker: int, data: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def exif(orientation: int, order: str = ">") -> bytes:
    """Return an Exif block with a side that is up, a camera, and a place."""
    entries = [
        struct.pack(f"{order}HHI4s", 0x010F, 2, 4, b"Mi\0\0"),
        struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0),
        struct.pack(f"{order}HHII", 0x8825, 4, 1, 64),
    ]
    table = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + struct.pack(f"{order}I", 0)
    mark = b"MM\0*" if order == ">" else b"II*\0"
    return b"Exif\0\0" + mark + struct.pack(f"{order}I", 8) + table + SECRET


SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd0\x56\xff\x00"
PICTURE = segment(0xDB, bytes(65)) + segment(0xC0, bytes(15)) + segment(0xC4, bytes(20)) + SCAN


def jpeg(*segments: bytes, after: bytes = b"") -> bytes:
    """Return a JPEG with these segments before its picture."""
    return b"\xff\xd8" + b"".join(segments) + PICTURE + b"\xff\xd9" + after


def chunk(sort: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + sort + data + struct.pack(">I", zlib.crc32(sort + data))


IHDR = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
IDAT = chunk(b"IDAT", zlib.compress(b"\0\x7f"))
IEND = chunk(b"IEND", b"")
SMALL_PNG = b"\x89PNG\r\n\x1a\n" + IHDR + IDAT + IEND


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a WebP of these chunks."""
    told = b"".join(
        sort + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1) for sort, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(told) + 4) + b"WEBP" + told


def test_a_jpeg_loses_where_and_with_what_it_was_taken_and_keeps_which_side_is_up() -> None:
    jfif, icc = segment(0xE0, b"JFIF\0" + bytes(9)), segment(0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(8))
    adobe = segment(0xEE, b"Adobe" + bytes(7))
    found = bare(
        jpeg(
            jfif,
            segment(0xE1, exif(6)),
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET),
            icc,
            segment(0xE2, b"MPF\0" + SECRET),
            segment(0xED, b"Photoshop 3.0\0" + SECRET),
            adobe,
            segment(0xFE, SECRET),
            after=b"ftypmp42" + SECRET,
        )
    )
    assert SECRET not in found
    assert b"Mi" not in found
    orientation = found[found.index(b"Exif\0\0") :][:32]
    assert orientation == b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    assert found == jpeg(jfif, segment(0xE1, orientation), icc, adobe)
    assert bare(found) == found


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", [0, 1, 3, 8, 9])
def test_only_a_picture_that_is_turned_says_so(order: str, orientation: int) -> None:
    found = bare(jpeg(segment(0xE1, exif(orientation, order))))
    assert (b"Exif" in found) is (orientation in {3, 8})


def test_a_progressive_jpeg_keeps_all_its_scans() -> None:
    scans = b"\xff\xd8" + PICTURE + segment(0xC4, bytes(20)) + SCAN + b"\xff\xff" + SCAN + b"\xff\xd9"
    assert bare(scans) == scans.replace(b"\xff\xff\xff\xda", b"\xff\xda")


def test_a_png_loses_its_texts() -> None:
    told = [chunk(sort, SECRET) for sort in (b"tEXt", b"eXIf", b"iTXt", b"zTXt")]
    content = b"\x89PNG\r\n\x1a\n" + IHDR + b"".join(told) + IDAT + IEND + SECRET
    assert bare(content) == SMALL_PNG
    assert bare(SMALL_PNG) == SMALL_PNG


def test_a_webp_loses_its_exif_and_its_flags_for_it() -> None:
    picture = (b"VP8L", b"\x2f" + bytes(6))
    head = bytes(9)
    content = riff((b"VP8X", b"\x1c" + head), picture, (b"EXIF", exif(6)), (b"XMP ", SECRET))
    assert bare(content + SECRET) == riff((b"VP8X", b"\x10" + head), picture)


@pytest.mark.parametrize(
    ("content", "media"), [(jpeg(), JPEG), (SMALL_PNG, PNG), (riff((b"VP8 ", b"12")), WEBP)]
)
def test_a_picture_is_known_by_its_bytes(content: bytes, media: str) -> None:
    assert media_of(content) == media
    assert bare(content) == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe1\x00\x01",
        b"\xff\xd8\xff\xe1\xff\xff12",
        b"\xff\xd8\xff\xd8\xff\xd9",
        jpeg()[:-2],
        jpeg()[:-2] + b"\xff",
        b"\xff\xd8" + PICTURE + b"plain",
        SMALL_PNG[:-1],
        SMALL_PNG.replace(IDAT, b""),
        SMALL_PNG[:20] + b"\x01" + SMALL_PNG[21:],
        b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        b"RIFF\x04\x00\x00\x00WEBP",
        riff((b"VP8 ", b"")),
        riff((b"VP8 ", b"1234"))[:-2],
        jpeg(*[segment(0xFE, b"")] * 10_001),
        b"\x89PNG\r\n\x1a\n" + IHDR + chunk(b"tEXt", b"") * 10_001 + IDAT + IEND,
        riff(*[(b"XMP ", b"1")] * 10_001),
        jpeg()[:-2] + b"\xff" * 1_000_000,
        jpeg()[:-2] + b"\xff\x00" * 1_000_000,
    ],
)
def test_what_is_no_whole_picture_is_refused(content: bytes) -> None:
    with pytest.raises(PhotoError):
        bare(content)


@given(st.data())
def test_broken_pictures_are_made_bare_or_refused_and_nothing_else(data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from([jpeg(segment(0xE1, exif(6))), SMALL_PNG, riff((b"EXIF", SECRET), (b"VP8 ", b"1"))])
    )
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = bare(bytes(broken[: data.draw(st.integers(0, len(broken)))]))
    except PhotoError:
        return
    assert bare(found) == found
    assert len(found) <= len(whole) + 64


def test_a_real_photo_opens_as_before(tmp_path: object) -> None:
    cv2 = pytest.importorskip("cv2")
    numpy = pytest.importorskip("numpy")
    picture = numpy.random.default_rng(1).integers(0, 255, (64, 48, 3)).astype("uint8")
    for ending in (".jpg", ".png", ".webp"):
        _, encoded = cv2.imencode(ending, picture)
        content = bytes(encoded)
        if ending == ".jpg":
            content = content[:2] + segment(0xE1, exif(1)) + content[2:]
        before = cv2.imdecode(numpy.frombuffer(content, "uint8"), cv2.IMREAD_COLOR)
        after = cv2.imdecode(numpy.frombuffer(bare(content), "uint8"), cv2.IMREAD_COLOR)
        assert (before == after).all()
        assert SECRET not in io.BytesIO(bare(content)).getvalue()
