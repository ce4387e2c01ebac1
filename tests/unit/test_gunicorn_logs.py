import logging

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidHeader
from gunicorn.util import load_class

from service import gunicorn_conf
from service.gunicorn_logs import Logger


def test_gunicorn_writes_no_lines_of_its_own_but_hands_them_on(caplog: pytest.LogCaptureFixture) -> None:
    assert load_class(gunicorn_conf.logger_class) is Logger
    logger = Logger(Config())
    assert logger.error_log.level == logging.NOTSET
    assert logger.error_log.handlers == []
    logger.warning("Worker (pid:%s) was killed", 7)
    assert [record.getMessage() for record in caplog.records] == ["Worker (pid:7) was killed"]


@pytest.mark.parametrize("key", ["ph_secret", "ph_it's"])
def test_nothing_is_quoted_of_a_request_that_can_not_be_read(caplog: pytest.LogCaptureFixture, key: str) -> None:
    error = InvalidHeader(f"Authorization Bearer {key}")
    Logger(Config()).warning(f"Invalid request from ip=192.0.2.1: {error}")
    assert [record.getMessage() for record in caplog.records] == [
        "Invalid request from ip=192.0.2.1: Invalid HTTP Header: …"
    ]
