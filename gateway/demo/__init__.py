"""The whole thing on one machine: a simulated compound, a broker, the very same app as `run`, and a page."""
