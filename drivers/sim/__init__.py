"""Pretend devices that speak real bytes: for the demo, for tests, and for installers without hardware."""
