"""What generated examples find decides a test; how long one of them takes on a busy machine does not."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("liaison", deadline=None)
settings.load_profile("liaison")
