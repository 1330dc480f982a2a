"""The access list at work: who presented what at which door, what became of it, and where the list comes from."""

from gateway.services.access.service import Access

__all__ = ["Access"]
