"""The access list on disk: a file of its own beside the journal's, and the secret its hashes are made with."""

from gateway.runtime.access.secret import read_or_make
from gateway.runtime.access.store import AccessStore, AccessStoreError, Loaded, readable

__all__ = ["AccessStore", "AccessStoreError", "Loaded", "read_or_make", "readable"]
