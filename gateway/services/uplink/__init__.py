"""The uplink: journal rows to an MQTT broker, with the broker's or the desk's word for each."""

from gateway.services.uplink.service import Uplink
from gateway.services.uplink.statistics import UplinkStatistics

__all__ = ["Uplink", "UplinkStatistics"]
