"""Taking in a suite from a file, row by row: all of it or nothing, in memory that does not grow with it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from service.domain.cases import Case
from service.domain.digests import SuiteDigest
from service.domain.jobs import Suite
from service.domain.uploads import Columns, Leavings, Rejected, Row, UnreadableUploadError, case_of
from service.errors import InvalidError
from service.pipeline import quota
from service.pipeline.once import IdempotencyKey, remember
from service.pipeline.services import Services
from service.store import cases, making, suites
from service.store.making import Made
from service.store.paging import grouped
from service.store.suites import NewSuite

MAX_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """How an upload is read."""

    name: str | None = None
    columns: Columns = field(default_factory=Columns)
    skip_invalid: bool = False
    """Leave out rows that hold no case, instead of refusing the whole."""
    drop_duplicates: bool = False
    """Leave out rows whose prompt an earlier one has."""


def store(
    services: Services, given: Sequence[Case], name: str | None, *, tenant: str, once: IdempotencyKey | None = None
) -> Suite:
    """Store a suite of cases that are there already.

    Raises:
        sqlalchemy.exc.IntegrityError: another request with this key was first.
    """
    return upload(services, given, UploadOptions(name), tenant=tenant, once=once)


def upload(
    services: Services,
    rows: Iterable[Row | Rejected | Case],
    options: UploadOptions,
    *,
    tenant: str,
    once: IdempotencyKey | None = None,
) -> Suite:
    """Store a suite from the rows of a file. Until its last row is stored it can't be seen; a broken one is removed.

    Raises:
        InvalidError: the file can't be read, holds no case, too many, or rows that hold none.
        QuotaExceededError: it holds more cases than the tenant's day has left; no more of it was read than that.
        sqlalchemy.exc.IntegrityError: another request with this key was first.
    """
    with services.store.write() as session:
        left = quota.cases_left(services, session, tenant)
        suite = suites.create(session, tenant, NewSuite(0, name=options.name))
    try:
        return _Import(services, suite, options, once, left).run(rows)
    except BaseException:  # also when all is committed, and only the answer to that was lost: then it stays
        with services.store.write() as session:
            suites.drop_upload(session, suite.id)
        raise


@dataclass(slots=True)
class _Import:
    services: Services
    suite: Suite
    options: UploadOptions
    once: IdempotencyKey | None
    left: int | None
    """Cases that the tenant's day had left when it began; None: no limit."""
    _leavings: Leavings = field(default_factory=Leavings, init=False)
    _digest: SuiteDigest = field(default_factory=SuiteDigest, init=False)
    _size: int = field(default=0, init=False)
    _seen: set[int] = field(default_factory=set, init=False)
    """Hashes of the prompts so far."""
    _duplicates: int = field(default=0, init=False)

    def run(self, rows: Iterable[Row | Rejected | Case]) -> Suite:
        try:
            for chunk in grouped(self._taken(rows), lambda case: len(case.prompt), cases.CHUNK):
                self._store(chunk)
        except UnreadableUploadError as error:
            message = f"{error} Nothing was stored."
            raise InvalidError(message, code="upload_unreadable", errors=((f"/{error.line}", error.reason),)) from None
        self._refuse_what_is_wrong()
        return self._finish()

    def _taken(self, rows: Iterable[Row | Rejected | Case]) -> Iterator[Case]:
        """The rows that come into the suite; the others are counted."""
        for row in rows:
            case = case_of(self._size, row, self.options.columns) if isinstance(row, Row) else row
            if isinstance(case, Rejected):
                self._leavings.reject(case)
            elif not self._is_left_out(case):
                self._size += 1
                if self._size > MAX_ROWS:
                    raise InvalidError(f"A suite holds {MAX_ROWS:,} cases at most.", code="suite_too_large")
                if self.left is not None and self._size > self.left:
                    raise quota.more_than_is_left(self.left)
                yield case

    def _is_left_out(self, case: Case) -> bool:
        known = len(self._seen)
        self._seen.add(hash(case.prompt))
        if len(self._seen) > known:
            return False
        if self.options.drop_duplicates:
            self._leavings.duplicates += 1
        else:
            self._duplicates += 1
        return self.options.drop_duplicates

    def _store(self, chunk: list[Case]) -> None:
        if self._leavings.rejected and not self.options.skip_invalid:
            return  # the whole is refused; what is still read is read for its errors
        self._digest.update(chunk)
        with self.services.store.write() as session:
            cases.add(session, self.suite.id, chunk)

    def _refuse_what_is_wrong(self) -> None:
        rejected, first = self._leavings.rejected, self._leavings.first
        if rejected and not self.options.skip_invalid:
            errors = tuple((f"/{row['line']}", str(row["reason"])) for row in first)
            what = f"{rejected:,} rows hold no case, the first in line {first[0]['line']}: {first[0]['reason']}"
            raise InvalidError(
                f"{what} Nothing was stored; mend them, or send on_invalid=skip.", code="invalid_rows", errors=errors
            )
        if not self._size:
            raise InvalidError("The upload holds not one case.", code="suite_empty")

    def _finish(self) -> Suite:
        made = Made(self._size, self._duplicates, str(self._digest))
        with self.services.store.write() as session:
            quota.spend_cases(self.services, session, self.suite.tenant, self._size)
            making.freeze(session, self.suite.id, made)
            suites.finish_upload(session, self.suite.id, self._leavings)
            if self.once:
                remember(session, self.suite.tenant, self.once, self.suite.id)
            return suites.get(session, self.suite.tenant, self.suite.id)
