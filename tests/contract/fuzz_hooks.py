"""Loaded by schemathesis: what its own checks can't be told."""

import schemathesis
from schemathesis import Case, CheckContext, GenerationMode, Response

NOT_IN_A_SCHEMA = {
    "invalid_cursor": "only a cursor that the service gave is one",
    "idempotency_key_reused": "whether a key came before is not a matter of its form",
    "idempotency_key_with_file": "which header goes with which kind of body can't be said",
    "job_too_large": "the limit is on a product of two fields",
    "upload_unreadable": "what a file holds is not a matter of its form",
    "invalid_rows": "the same",
    "suite_empty": "the same",
    "file_unknown": "the same",
    "file_missing": "the same",
    "blank_examples": "what counts as a letter in every alphabet no pattern says",
}


@schemathesis.check
def valid_requests_are_accepted(ctx: CheckContext, response: Response, case: Case) -> None:
    """As schemathesis's positive_data_acceptance, which would forbid every 422 or allow every one."""
    del ctx
    valid = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if valid and response.status_code in {400, 413, 415, 422}:
        code = response.json()["code"]
        assert code in NOT_IN_A_SCHEMA, f"a request that fits the description was refused: {code}"
