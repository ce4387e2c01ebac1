"""Taking in a suite, in whichever form it is sent."""

from collections.abc import Callable, Iterable

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from service.api import payload
from service.api.at_once import AtOnce
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.problems import MAX_UPLOAD_MIB
from service.api.schemas.suites import NewSuiteSchema
from service.api.submitting import once_only, refuse_too_large
from service.domain.jobs import Suite
from service.domain.specs import SuiteSpec
from service.domain.uploads import Readable, Rejected, Row, read_csv, read_ndjson
from service.errors import BusyError, InvalidError
from service.pipeline.submit import submit_suite
from service.pipeline.upload import UploadOptions, upload

MAX_UPLOAD_BYTES = MAX_UPLOAD_MIB * 1024 * 1024
READERS: dict[str, Callable[[Readable, UploadOptions], Iterable[Row | Rejected]]] = {
    "application/x-ndjson": lambda file, _: read_ndjson(file),
    "application/jsonl": lambda file, _: read_ndjson(file),
    "text/csv": lambda file, options: read_csv(file, options.columns["prompt"]),
}
UPLOADS = AtOnce(4, lambda: BusyError("Other suites are being uploaded; send this one again in a few seconds."))
"""Each may have a file of 256 MiB on disk, and remembers a million prompts."""
SUFFIXES = {".csv": "text/csv", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson"}


FORM = "multipart/form-data"
FILE = {"type": "string", "description": "A case a line or row."}
BODIES = {
    "required": True,
    "content": {
        "application/json": {"schema": NewSuiteSchema},
        "application/x-ndjson": {"schema": FILE},
        "text/csv": {"schema": FILE},
        FORM: {
            "schema": {"type": "object", "required": ["file"], "properties": {"file": {**FILE, "format": "binary"}}}
        },
    },
}


def take_in(options: UploadOptions, key: str | None) -> tuple[Suite, dict[str, str]]:
    """Make the suite that the request holds; the headers say whether a request with the same key has made it before.

    Raises:
        InvalidError: what is sent makes no suite, or is a file with an Idempotency-Key.
        UnsupportedMediaType: it is sent in a form that is not known.
        BusyError: too many files are being taken in.
    """
    if request.mimetype == "application/json":
        return _described(key)
    if key is not None:
        message = "An Idempotency-Key is for suites sent as JSON: whether a file came before is known once it is read."
        raise InvalidError(message, code="idempotency_key_with_file", errors=(("/Idempotency-Key", message),))
    return _sent(options), {}


def _sent(options: UploadOptions) -> Suite:
    request.max_content_length = MAX_UPLOAD_BYTES  # it is never held in memory, as a JSON body is
    if request.mimetype not in (*READERS, FORM):
        raise UnsupportedMediaType
    with UPLOADS.place():
        if request.mimetype == FORM:
            return _in_a_form(options)
        return _uploaded(payload.Lines(request), request.mimetype, options)


def _described(key: str | None) -> tuple[Suite, dict[str, str]]:
    parsed = Blueprint.ARGUMENTS_PARSER.parse(NewSuiteSchema(), request, location="json")
    spec: SuiteSpec = parsed["suite"]
    if spec.suite_id:
        message = "This suite exists already: name a generator, or give cases."
        raise InvalidError(message, errors=(("/suite_id", message),))
    refuse_too_large(spec, 1)
    once, replayed = once_only(key)
    return submit_suite(services(), spec, parsed["name"], tenant=current_tenant(), once=once), replayed


def _in_a_form(options: UploadOptions) -> Suite:
    file = request.files.get("file")
    if file is None:
        raise InvalidError(
            "The form has no part named `file`.", code="file_missing", errors=(("/file", "Is missing."),)
        )
    suffix = next((kind for end, kind in SUFFIXES.items() if (file.filename or "").lower().endswith(end)), None)
    content_type = file.mimetype if file.mimetype in READERS else suffix
    if content_type is None:
        message = "Call the file .csv, .jsonl or .ndjson, or give its part that content type."
        raise InvalidError(message, code="file_unknown", errors=(("/file", message),))
    return _uploaded(file.stream, content_type, options)


def _uploaded(file: Readable, content_type: str, options: UploadOptions) -> Suite:
    return upload(services(), READERS[content_type](file, options), options, tenant=current_tenant())
