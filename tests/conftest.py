"""Property tests under load: an example that takes long is no failure on a machine that has other work."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
