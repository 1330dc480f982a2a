"""The duty desk; for now one page that lists the alerts as they arrive."""
