"""Panels heard through their printers: paper, patterns and records alone, then whole panels in virtual time."""
