"""Signed orders from afar. README.md here is the protocol, for whoever wants to send some."""

from gateway.services.remote.service import Remote

__all__ = ["Remote"]
