"""Frames of any layout as plain functions over bytes, for both ends of the wire: no I/O, no clock.

`decode` looks at the front of the buffer. A whole good frame is eaten and returned. What can be no frame is eaten up
to the next place where one may begin, and told as FrameError: so whoever calls again until None has every good frame,
however much garbage stands before it. The beginning of a frame waits for its rest, unless a whole frame stands behind
it: then it was noise that looked like a beginning, and must not hold back what is good.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.api import FrameError
from drivers.framed.checksums import RULES
from drivers.framed.layout import Check, Data, Layout, Mark, Number, NumberName, size_of


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame says: of what type it is, what it carries, whose it is. What its layout lacks is 0."""

    type: int
    data: bytes
    address: int = 0
    id: int = 0


def decode(layout: Layout, buffer: bytearray) -> Frame | None:
    """Eat and return the frame at the front; None: more bytes are needed. FrameError: some were none, and are eaten."""
    if not buffer:
        return None
    try:
        found = _read(layout, buffer, 0)
    except _BadError as bad:
        raise _eaten(buffer, next(_starts(layout, buffer, bad.useless)), bad.reason) from None
    if found is None:
        if (behind := _whole_behind(layout, buffer)) is not None:
            raise _eaten(buffer, behind, "noise that looked like the beginning of a frame")
        return None
    frame, end = found
    del buffer[:end]
    return frame


def encode(layout: Layout, frame: Frame) -> bytes:
    """Return the bytes of a frame; ValueError if the layout cannot carry it."""
    sent = bytearray()
    begins: list[int] = []
    for part in layout.parts:
        begins.append(len(sent))
        if isinstance(part, Mark):
            sent += part.data
        elif isinstance(part, Data):
            if len(frame.data) > layout.longest or part.size not in {None, len(frame.data)}:
                raise ValueError(
                    f"{len(frame.data)} bytes of data, wanted {part.size or f'at most {layout.longest}'}"
                )
            if part.size is None and layout.number("length") is None and _ends(layout, frame.data):
                raise ValueError("data that holds the bytes a frame begins or ends with")
            sent += frame.data
        elif isinstance(part, Number):
            number = (
                _counted(layout, part, len(frame.data)) if part.name == "length" else _of(frame, part.name)
            )
            if number >> 8 * part.size:
                raise ValueError(f"{part.name} {number} takes more than {part.size} bytes")
            sent += number.to_bytes(part.size, part.order)
        else:
            ends = [*begins[1:], len(sent)]
            sent += _check(part, sent[begins[part.first] : ends[part.last]])
    return bytes(sent)


class _BadError(Exception):
    """No frame begins here, nor in the first `useless` bytes."""

    def __init__(self, reason: str, useless: int) -> None:
        super().__init__(reason)
        self.reason, self.useless = reason, max(1, useless)


def _read(layout: Layout, buffer: bytearray, start: int) -> tuple[Frame, int] | None:
    """Return the frame that begins at `start` and where it ends; None: its rest is missing. Raises _BadError."""
    at, told, data = start, dict.fromkeys(("type", "address", "id", "length"), 0), b""
    begins: list[int] = []
    for index, part in enumerate(layout.parts):
        begins.append(at)
        size = size_of(part)
        if isinstance(part, Data) and size is None:
            counts = layout.number("length")
            if counts is None:
                size = _size_to_the_end(layout, index, buffer, start, at)
            else:
                size = told["length"] - layout.fixed_size(counts.first, counts.last)
        if size is None:
            return None
        seen = bytes(buffer[at : at + size])
        if isinstance(part, Mark) and not part.data.startswith(seen):
            raise _BadError("no header" if at == start else "no end", 1)
        if len(seen) < size:
            return None
        at += size
        if isinstance(part, Number):
            told[part.name] = int.from_bytes(seen, part.order)
            if part.name == "length":
                _believable(layout, part, told["length"])
        elif isinstance(part, Data):
            data = seen
        elif isinstance(part, Check) and seen != _check(
            part, buffer[begins[part.first] : begins[part.last + 1]]
        ):
            raise _BadError("checksum", 1)
    return Frame(told["type"], data, told["address"], told["id"]), at


def _size_to_the_end(layout: Layout, index: int, buffer: bytearray, start: int, at: int) -> int | None:
    """Return how many bytes of data stand before the mark that ends it; None while that is missing."""
    end = layout.parts[index + 1]
    assert isinstance(end, Mark)
    found = buffer.find(end.data, at)
    if layout.mark and (again := buffer.find(layout.mark, at, found if found >= 0 else None)) >= 0:
        raise _BadError("it begins anew before its end", again - start)
    if found - at > layout.longest:
        raise _BadError("too long", 1 if layout.mark else found + len(end.data) - start)
    if found < 0:
        # One byte too many is kept: by it the end of this line, when it comes, is known to belong to none.
        too_many = len(buffer) - at - len(end.data) - layout.longest
        if too_many > 0:
            raise _BadError("too long", 1 if layout.mark else too_many)
        return None
    return found - at


def _believable(layout: Layout, part: Number, length: int) -> None:
    size = length - layout.fixed_size(part.first, part.last)
    data = next(each for each in layout.parts if isinstance(each, Data))
    if data.size is not None:
        size = length - layout.fixed_size(part.first, part.last) + data.size
    if not 0 <= size <= layout.longest or data.size not in {None, size}:
        raise _BadError("length", 1)


def _starts(layout: Layout, buffer: bytearray, first: int) -> Iterator[int]:
    """Yield each place from `first` on where a frame may begin, the end of the buffer last."""
    mark = layout.mark
    if not mark:
        yield from range(first, len(buffer))
    else:
        at = buffer.find(mark, first)
        while at >= 0:
            yield at
            at = buffer.find(mark, at + 1)
        for size in range(min(len(mark) - 1, len(buffer) - first), 0, -1):
            if buffer.endswith(mark[:size]):
                yield len(buffer) - size
    yield len(buffer)


def _whole_behind(layout: Layout, buffer: bytearray) -> int | None:
    """Return where the first whole good frame begins that is not at the front."""
    for start in _starts(layout, buffer, 1):
        try:
            if start < len(buffer) and _read(layout, buffer, start) is not None:
                return start
        except _BadError:
            continue
    return None


def _eaten(buffer: bytearray, size: int, reason: str) -> FrameError:
    data = bytes(buffer[:size])
    del buffer[:size]
    return FrameError(reason, data)


def _check(part: Check, data: bytes | bytearray) -> bytes:
    return RULES[part.rule].value(bytes(data)).to_bytes(part.size, part.order)


def _counted(layout: Layout, part: Number, data_size: int) -> int:
    """Return what the length says of a frame with so much data."""
    data = next(each for each in layout.parts if isinstance(each, Data))
    return layout.fixed_size(part.first, part.last) + (data_size if data.size is None else 0)


def _ends(layout: Layout, data: bytes) -> bool:
    """Say whether data holds bytes that would be taken for the beginning or the end of its frame."""
    at = next(index for index, part in enumerate(layout.parts) if isinstance(part, Data))
    end = layout.parts[at + 1]
    assert isinstance(end, Mark)
    after = data + end.data
    return after.find(end.data) < len(data) or bool(layout.mark and layout.mark in after)


def _of(frame: Frame, name: NumberName) -> int:
    return {"type": frame.type, "address": frame.address, "id": frame.id}.get(name, 0)
