"""A mock target for benchmarks: OpenAI's chat completions on loopback, with a latency to choose, and counts.

    python -m bench.mock_target --port 8900 --latency 0.5 [--sigma 0.8]

`GET /stats` gives the hits, the highest concurrency, and the most hits within any 60 seconds.
"""

import argparse
import asyncio
import json
import math
import random
import time
from collections import deque

from aiohttp import web

ANSWER = {
    "id": "chatcmpl-bench",
    "object": "chat.completion",
    "created": 0,
    "model": "mock",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "I'm sorry, but I can't help with that request."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 40, "completion_tokens": 11, "total_tokens": 51},
}
BODY = json.dumps(ANSWER).encode()
MINUTE = 60.0


class Mock:
    """Answers every request alike after `latency` seconds: fixed, or log-normal around it as the median."""

    def __init__(self, latency: float, sigma: float) -> None:
        self.latency, self.sigma = latency, sigma
        self.hits = self.under_way = self.peak = self.busiest_minute = 0
        self._recent: deque[float] = deque()
        self._random = random.Random(7)

    async def complete(self, request: web.Request) -> web.Response:
        """POST /v1/chat/completions."""
        self._count()
        try:
            await request.read()
            await asyncio.sleep(self._draw())
            return web.Response(body=BODY, content_type="application/json")
        finally:
            self.under_way -= 1

    async def stats(self, _request: web.Request) -> web.Response:
        """GET /stats."""
        return web.json_response({"hits": self.hits, "peak": self.peak, "busiest_minute": self.busiest_minute})

    def _count(self) -> None:
        now = time.monotonic()
        self.hits += 1
        self.under_way += 1
        self.peak = max(self.peak, self.under_way)
        self._recent.append(now)
        while self._recent[0] <= now - MINUTE:
            self._recent.popleft()
        self.busiest_minute = max(self.busiest_minute, len(self._recent))

    def _draw(self) -> float:
        return self.latency * math.exp(self._random.gauss(0, self.sigma)) if self.sigma else self.latency


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--sigma", type=float, default=0.0)
    arguments = parser.parse_args()
    mock = Mock(arguments.latency, arguments.sigma)
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/v1/chat/completions", mock.complete)
    app.router.add_get("/stats", mock.stats)
    web.run_app(app, host="127.0.0.1", port=arguments.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
