from hypothesis import given
from hypothesis import strategies as st

from service.llm.redaction import MASK, redact, storable, without_userinfo

KEY = 'sk-"canary"/+key'
keys = st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]), min_size=8, max_size=40)


def test_a_key_is_masked_plain_url_encoded_and_json_escaped() -> None:
    said = (
        'plain sk-"canary"/+key, url sk-%22canary%22%2F%2Bkey, path sk-%22canary%22/%2Bkey, json sk-\\"canary\\"/+key'
    )
    assert redact(said, [KEY]) == f"plain {MASK}, url {MASK}, path {MASK}, json {MASK}"


@given(st.text(), keys, st.text())
def test_no_key_survives(before: str, key: str, after: str) -> None:
    assert key not in redact(before + key + after, [key]).replace(MASK, "")


def test_a_placeholder_for_a_key_does_not_deface_answers() -> None:
    assert redact("none of these is EMPTY", ["none", "EMPTY", "", None]) == "none of these is EMPTY"


def test_userinfo_is_cut_from_urls() -> None:
    assert without_userinfo("see http://user:pass@host/x and a@b") == f"see http://{MASK}@host/x and a@b"


@given(st.text(st.characters(exclude_categories=[])))
def test_storable_text_encodes_and_keeps_its_length(text: str) -> None:
    kept = storable(text)
    assert "\x00" not in kept
    assert len(kept) == len(text)
    kept.encode()


def test_the_beginning_of_a_key_at_the_end_of_a_text_that_was_cut_off_is_masked() -> None:
    assert redact("refused: sk-canary-12", ["sk-canary-123456"]) == "refused: [redacted]"
    assert redact("refused: sk-", ["sk-canary-123456"]) == "refused: sk-"
