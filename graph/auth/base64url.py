"""base64url without padding (RFC 4648 section 5), one spelling for each value."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(value: bytes) -> str:
    """The text for `value`."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of what `encode()` wrote; `ValueError` for anything else.

    Python's own decoder skips foreign characters and stray bits, so that many texts would mean one value.
    """
    value = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(value) != text:
        raise ValueError("not base64url")
    return value
