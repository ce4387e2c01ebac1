"""One exception tree. Each error says what went wrong and what to do, and carries the code that scripts match on."""


class ProofhouseError(Exception):
    """Base of every error that the service raises on purpose.

    `code` is stable and machine-readable; `status` is the HTTP status it answers with; the message is for people.
    """

    code = "internal_error"
    status = 500
    title = "Internal error"
    retry_after: int | None = None
    """Seconds to wait before it is worth trying again, where that is known."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class NotFoundError(ProofhouseError):
    """No such thing for this tenant; another tenant's thing looks just the same."""

    code = "not_found"
    status = 404
    title = "Not found"


class ConflictError(ProofhouseError):
    """The request was understood but does not fit the present state."""

    code = "conflict"
    status = 409
    title = "Conflict"


class InvalidError(ProofhouseError):
    """The request's content is wrong. `errors` holds (JSON pointer, message) pairs."""

    code = "validation_failed"
    status = 422
    title = "Invalid request"

    def __init__(self, message: str, *, code: str | None = None, errors: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message, code=code)
        self.errors = errors


class AuthenticationError(ProofhouseError):
    """No key, or one that is unknown, revoked or expired."""

    code = "unauthenticated"
    status = 401
    title = "Authentication needed"


class PermissionDeniedError(ProofhouseError):
    """The key's role does not allow this."""

    code = "forbidden"
    status = 403
    title = "Not allowed"


class QuotaExceededError(ProofhouseError):
    """The tenant has used up what it may; the message says what to do."""

    code = "quota_exceeded"
    status = 429
    title = "Quota exceeded"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnavailableError(ProofhouseError):
    """Something the service needs (database, Redis) is out of reach; nothing was half done."""

    code = "unavailable"
    status = 503
    title = "Service unavailable"


class BusyError(UnavailableError):
    """As many of these requests are under way in this process as it can bear; the message says of which."""

    code = "busy"
    title = "Busy"
    retry_after = 5


class TooManyTrialsError(BusyError):
    """As many targets are being tested in this process as may be: each takes a request's turn while it waits."""

    code = "too_many_trials"
    status = 429
    title = "Too many trials"


class SlowRequestError(ProofhouseError):
    """A client sends its request so slowly that it would keep others waiting."""

    code = "request_too_slow"
    status = 408
    title = "Request too slow"


class StaleClaimError(ProofhouseError):
    """A claim on a suite has passed to another worker, or a job was stopped; what is still held must not be written."""

    code = "stale_claim"


class GenerationError(ProofhouseError):
    """A suite can't be made: every call to the generator's model would fail. The message says what to mend."""

    code = "generation_failed"
