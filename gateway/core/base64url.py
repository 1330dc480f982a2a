"""base64url without padding (RFC 4648, section 5, as RFC 7515 uses it), in its one right spelling only. Pure."""

import base64


def decoded(text: bytes) -> bytes:
    """Return what `text` stands for; ValueError for anything but the one spelling that `encoded` gives."""
    data = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    if encoded(data) != text:
        raise ValueError("not in base64url's one right spelling")
    return data


def encoded(data: bytes) -> bytes:
    """Return the text that stands for `data`."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")
