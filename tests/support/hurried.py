"""Gunicorn's settings and app as `patient` has them, but for a patience of a second."""

from service import gthread, turns
from tests.support.patient import *  # noqa: F403 - what gunicorn reads

gthread.HEADER_SECONDS = turns.PATIENCE_SECONDS = 1.0
gthread.LINGER_SECONDS = 1.0
