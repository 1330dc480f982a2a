"""Card readers: the pure parts, and the driver against libosdp's own peripheral."""
