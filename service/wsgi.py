"""For WSGI servers: `gunicorn -c python:service.gunicorn_conf service.wsgi:app`. Reads its settings when imported."""

from service import tracing
from service.app import create_app
from service.llm import guard
from service.logs import configure
from service.settings import Settings, log_options

configure(*log_options())
settings = Settings.from_env()
tracing.start("api")
guard.allow(settings.allowed_networks)
app = create_app(settings)
