"""Drivers speak to devices. They never import gateway and could be published alone."""
