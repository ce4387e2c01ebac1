"""The HTTP client of the commands: answers as dictionaries, failures as one clear line with the right exit code."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO
from urllib.parse import quote

import httpx2

from service.cli.exits import CommandError, Exit

Json = dict[str, Any]
NDJSON = "application/x-ndjson"
TIMEOUT = httpx2.Timeout(60, connect=5)
TRANSIENT = {429, 502, 503, 504}
_AUTHENTICATION = {401, 403}


class UnreachableError(CommandError):
    """The service can't be reached or is not able to answer just now; a moment later it may be."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Exit.INFRASTRUCTURE)


class Client:
    """One Proofhouse service, as one key sees it."""

    def __init__(self, url: str, key: str, transport: httpx2.BaseTransport | None = None) -> None:
        self.url = url
        headers = {"Authorization": f"Bearer {key}", "User-Agent": "proofhouse-cli"}
        try:
            # A proxy or a .netrc that is set for the wide world has no business with this key.
            self._http = httpx2.Client(
                base_url=url, headers=headers, timeout=TIMEOUT, trust_env=False, transport=transport
            )
        except httpx2.InvalidURL as error:
            raise CommandError(f"PROOFHOUSE_URL is no address: {url}", Exit.USAGE) from error

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, path: str, **parameters: Any) -> Json:
        """A document."""
        return self._document(self._request("GET", path, params=_given(parameters)))

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Json:
        """The document that a POST answers with."""
        content = None if body is None else json.dumps(body)
        sent = {"Content-Type": "application/json", **(headers or {})} if body is not None else headers
        return self._document(self._request("POST", path, content=content, headers=sent))

    def upload(self, path: str, file: BinaryIO, content_type: str, **parameters: Any) -> Json:
        """The document that a POST of a file answers with; the file is sent as it is read."""
        headers = {"Content-Type": content_type}
        return self._document(self._request("POST", path, content=file, headers=headers, params=_given(parameters)))

    def delete(self, path: str) -> None:
        """Remove what is there."""
        self._request("DELETE", path)

    def content(self, path: str, **parameters: Any) -> bytes:
        """A document as it comes."""
        return self._request("GET", path, params=_given(parameters)).content

    def stream(self, path: str, **parameters: Any) -> Iterator[Json]:
        """The rows of a list, one by one as they arrive."""
        headers = {"Accept": NDJSON}
        with (
            self._explained(),
            self._http.stream("GET", path, params=_given(parameters), headers=headers) as response,
        ):
            if not response.is_success:
                response.read()
            self._check(response)
            for line in response.iter_lines():
                yield self._parsed(line)

    def _request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        with self._explained():
            response = self._http.request(method, path, **options)
        self._check(response)
        return response

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except httpx2.RequestError as error:
            raise UnreachableError(
                f"Can't reach Proofhouse at {self.url} ({error or type(error).__name__}). Start it with "
                "`proofhouse up`, or set PROOFHOUSE_URL."
            ) from error

    def _check(self, response: httpx2.Response) -> None:
        if response.is_success:
            return
        message = _problem(response) or f"{self.url} answered with HTTP {response.status_code}."
        if response.status_code in TRANSIENT:
            raise UnreachableError(message)
        if response.status_code in _AUTHENTICATION:
            raise CommandError(message, Exit.AUTHENTICATION)
        raise CommandError(message, Exit.USAGE if response.is_client_error else Exit.INFRASTRUCTURE)

    def _document(self, response: httpx2.Response) -> Json:
        return self._parsed(response.text)

    def _parsed(self, text: str) -> Json:
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise CommandError(f"What answers at {self.url} is not Proofhouse.", Exit.INFRASTRUCTURE)
        return document


def job_path(job_id: str, *rest: str) -> str:
    """The path of a job or of something below it, whatever characters the id was given."""
    return "/".join(("/v1/jobs", quote(job_id, safe=""), *rest))


def suite_path(suite_id: str, *rest: str) -> str:
    """The path of a suite or of something below it, likewise."""
    return "/".join(("/v1/suites", quote(suite_id, safe=""), *rest))


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _problem(response: httpx2.Response) -> str | None:
    """A problem document (RFC 9457) in one line."""
    try:
        document = response.json()
        errors = [f"{error['pointer'] or '/'}: {error['message']}" for error in document.get("errors") or ()]
        request = [f"(request_id {document['request_id']})"] if response.is_server_error else []
        # With one error the detail tells all of it already.
        more = "; ".join(errors) if len(errors) > 1 else ""
        return " ".join([str(document.get("detail") or document["title"]), *request, more]).strip()
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
