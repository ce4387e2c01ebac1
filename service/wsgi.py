"""For WSGI servers: `gunicorn -c python:service.gunicorn_conf service.wsgi:app`. Reads its settings when imported."""

from service.app import create_app
from service.logs import configure
from service.settings import Settings

configure()
app = create_app(Settings.from_env())
