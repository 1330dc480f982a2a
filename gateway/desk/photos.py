"""Photos made bare: what a phone hides in a picture, where and when it was taken and with what, is cut out. Pure.

JPEG (ITU T.81 annex B) is a row of segments: of those for applications only JFIF, the colours (ICC, Adobe) stay, and of
Exif the one number that says which side is up, written anew. What follows the picture's end, a second picture or
the film of a "live" photo, goes as well. PNG and WebP are rows of chunks, of which those that tell of the taking are
left out. Nothing is decoded: a picture made to burst its reader bursts nothing here.
"""

import re
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from gateway.desk.media import media_of

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
WEBP: Final = "image/webp"

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_TELLING_PNG: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"})
_TELLING_WEBP: Final = frozenset({b"EXIF", b"XMP "})
_ORIENTATION: Final = 0x0112
_SHORT: Final = 3
_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14, _COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_KEPT: Final = {_APP0: b"JFIF\0", _APP2: b"ICC_PROFILE\0", _APP14: b"Adobe"}
_IN_SCAN: Final = frozenset({0x00, *range(0xD0, 0xD8)})  # a stuffed byte, or a restart: the scan goes on
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_MOST_PIECES: Final = 10_000  # segments or chunks; a made-up picture of many small ones would cost seconds


class PhotoError(ValueError):
    """The bytes are no picture that is kept, or a broken one."""


def bare(content: bytes) -> bytes:
    """Return a picture without what it tells of its taking; raises PhotoError."""
    made = _BARE.get(media_of(content[:16]) or "")
    if made is None:
        raise PhotoError("no JPEG, PNG or WebP")
    try:
        return made(content)
    except (struct.error, IndexError) as error:
        raise PhotoError("a picture that breaks off") from error


def _jpeg(content: bytes) -> bytes:
    kept, at, scans = bytearray(content[:2]), 2, 0
    for _ in range(_MOST_PIECES):
        at = _marker(content, at)
        marker = content[at + 1]
        if marker == _EOI:
            if not scans:
                raise PhotoError("a JPEG without a picture")
            return bytes(kept + content[at : at + 2])
        if marker == _SOI or marker in _IN_SCAN:
            raise PhotoError("a JPEG out of order")
        (length,) = struct.unpack_from(">H", content, at + 2)
        end = at + 2 + length
        if length < 2 or end > len(content):
            raise PhotoError("a JPEG that breaks off")
        kept += _segment(marker, content[at:end])
        if marker == _SOS:
            scans += 1
            after = _scan_end(content, end)
            kept += content[end:after]
            end = after
        at = end
    raise PhotoError("a JPEG of too many segments")


def _marker(content: bytes, at: int) -> int:
    """Return where the marker is that must come now; a marker may have fill bytes before it (B.1.1.2)."""
    if content[at] != 0xFF:
        raise PhotoError("a JPEG out of order")
    while content[at + 1] == 0xFF:
        at += 1
    return at


def _segment(marker: int, segment: bytes) -> bytes:
    """Return what stays of a segment."""
    if marker == _APP1:
        return _upright(segment[4:])
    if marker == _COM or (
        _APP0 <= marker <= 0xEF and not segment[4:].startswith(_KEPT.get(marker, b"\xff\xff"))
    ):
        return b""
    return segment


def _scan_end(content: bytes, at: int) -> int:
    """Return where a scan ends: at the first marker that is none of its own, or at the fill bytes before it."""
    found = _MARKER.search(content, at)
    if found is None:
        raise PhotoError("a JPEG that breaks off")
    end = found.start()
    while end > at and content[end - 1] == 0xFF:
        end -= 1
    return end


def _upright(exif: bytes) -> bytes:
    """Return a segment that says of an Exif block only which side is up; nothing where it does not say, or is broken.

    TIFF 6.0, section 2: the byte order, 42, where the first table is; its entries of 12 bytes each.
    """
    order = {b"II": "<", b"MM": ">"}.get(exif[6:8])
    if exif[:6] != b"Exif\0\0" or order is None:
        return b""
    try:
        (table,) = struct.unpack_from(f"{order}I", exif, 10)
        (count,) = struct.unpack_from(f"{order}H", exif, 6 + table)
        for index in range(count):
            tag, sort, _, value = struct.unpack_from(f"{order}HHIH", exif, 6 + table + 2 + 12 * index)
            if tag == _ORIENTATION and sort == _SHORT and 1 < value <= 8:
                return _exif(value)
    except struct.error:
        pass
    return b""


def _exif(orientation: int) -> bytes:
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, _SHORT, 1, orientation, 0, 0)
    told = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(told) + 2) + told


def _png(content: bytes) -> bytes:
    """PNG (third edition), 5.3: length, type, data, CRC; the last chunk is IEND."""
    kept, at, pictures = bytearray(_PNG), len(_PNG), 0
    for _ in range(_MOST_PIECES):
        length, sort = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        (crc,) = struct.unpack_from(">I", content, end - 4)
        if crc != zlib.crc32(content[at + 4 : end - 4]):
            raise PhotoError("a PNG that is broken")
        if sort not in _TELLING_PNG:
            kept += content[at:end]
        pictures += sort == b"IDAT"
        if sort == b"IEND":
            if not pictures:
                raise PhotoError("a PNG without a picture")
            return bytes(kept)
        at = end
    raise PhotoError("a PNG of too many chunks")


def _webp(content: bytes) -> bytes:
    """WebP container (RFC 9649, 2.3): chunks of type, length, data, padded to an even length."""
    (size,) = struct.unpack_from("<I", content, 4)
    if size + 8 > len(content) or size < 12:
        raise PhotoError("a WebP that breaks off")
    kept, at, chunks = bytearray(), 12, 0
    while at < size + 8:
        chunks += 1
        if chunks > _MOST_PIECES:
            raise PhotoError("a WebP of too many chunks")
        sort, length = struct.unpack_from("<4sI", content, at)
        end = at + 8 + length + (length & 1)
        chunk = bytearray(content[at:end])
        if len(chunk) != end - at or not length:
            raise PhotoError("a WebP that breaks off")
        if sort == b"VP8X":
            chunk[8] &= ~0x0C  # its flags for Exif and XMP
        if sort not in _TELLING_WEBP:
            kept += chunk
        at = end
    return b"RIFF" + struct.pack("<I", len(kept) + 4) + b"WEBP" + bytes(kept)


_BARE: Final[Mapping[str, Callable[[bytes], bytes]]] = {JPEG: _jpeg, PNG: _png, WEBP: _webp}
