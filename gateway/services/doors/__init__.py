"""The doors of the compound: service.py knows them, mover.py moves their strikes."""

from gateway.services.doors.service import Doors

__all__ = ["Doors"]
