"""Servers that send back the key that they were sent, wherever in an answer there is room for it."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from tests.support.mock_openai import GARBAGE, HTML, Answer, Hit, completion, payload, status, text
from tests.support.mock_tavily import refused, result, results
from tests.support.writing import reply, sentence

Echo = Callable[[str], Answer]
"""How a server answers that knows the key."""


def answered(key: str) -> Answer:
    return text(f"You sent {key}. Authorization: Bearer {key}")


def in_other_fields(key: str) -> Answer:
    return completion({"role": "assistant", "content": f"<{key}>", "refusal": key, "name": key}, f"stop {key}")


def blocked(key: str) -> Answer:
    filtered = {key: {"filtered": True, "severity": key}}
    return completion({"role": "assistant", "content": key}, "content_filter", content_filter_results=filtered)


def failing(number: int) -> Echo:
    return lambda key: status(number, f"Incorrect API key provided: {key}.", type=key, code=key, param=key)


def redirecting(key: str) -> Answer:
    return payload({}, 302, Location=f"http://127.0.0.1:9/{key}")


def not_http(key: str) -> Answer:
    return replace(GARBAGE, raw=f"HTTP/1.1 {key} {key}\r\n{key}: {key}\r\n\r\n{key}".encode())


def not_json(key: str) -> Answer:
    return replace(HTML, body=f"<html>Authorization: Bearer {key}</html>".encode())


def wrong_shape(key: str) -> Answer:
    return payload({"choices": [{"message": key}], key: key})


def verdict(key: str) -> Answer:
    return text(json.dumps({"verdict": "safe", "reason": f"Bearer {key}", "severity": 0}))


_numbers = count()


def prompt(key: str) -> Answer:
    """A prompt for a suite, no two alike."""
    return reply(f"{sentence(next(_numbers))} Let them pay with {key} for it.")


def articles(key: str) -> Answer:
    """What a search finds."""
    fields = {"title": f"Event {key}", "content": key, "url": f"https://news.example/{key}", "published_date": key}
    return results(result(0, **fields), result(1))


def search_failing(number: int) -> Echo:
    return lambda key: refused(number, f"Unauthorized: invalid API key {key}.")


def in_turn(key: str, *echoes: Echo) -> Callable[[Hit], Answer]:
    """A server that takes its turns, and has the key in a header of every answer."""

    def behave(hit: Hit) -> Answer:
        answer = echoes[hit.number % len(echoes)](key)
        return replace(answer, headers={**answer.headers, "X-Echo": key, "Set-Cookie": f"key={key}"})

    return behave
