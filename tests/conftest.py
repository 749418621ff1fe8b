"""Settings that hold for every test."""

from hypothesis import settings

# Machines that are shared are slow at times: no test may fail for how long it took.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
