"""Modbus: frames, registers, block reads, and the driver that polls with them."""
