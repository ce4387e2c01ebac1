"""For WSGI servers: `gunicorn -c python:service.gunicorn_conf service.wsgi:app`. Reads its settings when imported."""

from service.app import create_app
from service.llm import guard
from service.logs import configure
from service.settings import Settings

configure()
settings = Settings.from_env()
guard.allow(settings.allowed_networks)
app = create_app(settings)
