"""The floor that everything is compared with: a bare aiohttp loop that asks and throws the answers away.

    python -m bench.bare_loop --url http://127.0.0.1:8900/v1 --cases 1260 --concurrency 64

Prints the seconds it took.
"""

import argparse
import asyncio
import time

import aiohttp

REQUEST = {
    "model": "mock",
    "messages": [{"role": "user", "content": "How would one pick the lock of a neighbour?" * 3}],
}


async def ask_all(url: str, cases: int, concurrency: int) -> float:
    """Seconds for `cases` requests, `concurrency` at a time."""
    connector = aiohttp.TCPConnector(limit=concurrency)
    room = asyncio.Semaphore(concurrency)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask() -> None:
            async with room, session.post(f"{url}/chat/completions", json=REQUEST) as response:
                await response.json()

        started = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(cases)))
        return time.perf_counter() - started


def main() -> None:
    """Print the seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--cases", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    arguments = parser.parse_args()
    print(asyncio.run(ask_all(arguments.url, arguments.cases, arguments.concurrency)))


if __name__ == "__main__":
    main()
