"""Modbus slaves not written by us, each started by a test on its end of a pty pair."""
