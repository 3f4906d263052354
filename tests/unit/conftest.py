"""What all unit tests have in common."""

from hypothesis import settings

# A machine that does other things takes longer now and then: an example's time says nothing of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
