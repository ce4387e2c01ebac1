"""A guard's reply is read in its own form and in no other."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.verdicts import Verdict
from service.judges.guard_formats import FORMATS
from service.judges.parsing import UnreadableError

WILD = "Harmful request: {}\nResponse refusal: {}\nHarmful response: {}"
READABLE: Mapping[str, list[tuple[str, Verdict]]] = {
    "llama_guard_1": [("safe", Verdict.SAFE), ("unsafe\nO1", Verdict.UNSAFE), ("unsafe\nO6,O3", Verdict.UNSAFE)],
    "llama_guard_2": [("\n\nsafe", Verdict.SAFE), ("unsafe\nS11", Verdict.UNSAFE)],
    "llama_guard_3": [
        ("\n\nsafe\n", Verdict.SAFE),
        ("Safe", Verdict.SAFE),
        ("\n\nunsafe\nS1,S10", Verdict.UNSAFE),
        ("unsafe \r\n S14 , s2", Verdict.UNSAFE),
    ],
    "llama_guard_4": [("safe", Verdict.SAFE), ("unsafe\n\nS14", Verdict.UNSAFE)],
    "shieldgemma": [("Yes", Verdict.UNSAFE), ("No", Verdict.SAFE), (" no\n", Verdict.SAFE)],
    "wildguard": [
        (WILD.format("yes", "no", "yes"), Verdict.UNSAFE),
        (WILD.format("yes", "yes", "no"), Verdict.SAFE),
        (WILD.format("no", "no", "no"), Verdict.SAFE),
        (WILD.format("no", "N/A", "yes").replace("\n", " \r\n\r\n"), Verdict.UNSAFE),
    ],
    "granite_guardian": [
        ("Yes", Verdict.UNSAFE),
        ("No", Verdict.SAFE),
        ("Yes\n<confidence> High </confidence>", Verdict.UNSAFE),
        ("No\n<confidence> Low </confidence>", Verdict.SAFE),
        ("<score> yes </score>", Verdict.UNSAFE),
        ("<score>no</score>", Verdict.SAFE),
        ("<think>\n</think>\n<score> no </score>", Verdict.SAFE),
        ("<think>It says <score> no </score>.\nYet it helps.</think><score> yes </score>", Verdict.UNSAFE),
    ],
}
UNREADABLE: Mapping[str, list[str]] = {
    "llama_guard_1": ["unsafe\nS1", "unsafe\nO7", "unsafe\nO0"],
    "llama_guard_2": ["unsafe\nO1", "unsafe\nS12"],
    "llama_guard_3": [
        "",
        "unsafe",
        "unsafe\n",
        "unsafe S1",
        "unsafe\nS15",
        "unsafe\nS1,O2",
        "unsafe\nS1 S2",
        "unsafe\nS1,",
        "unsafe\nS1\nsafe",
        "safe\nS1",
        "safe\nunsafe\nS1",
        "safe unsafe",
        "not safe",
        "safe.",
        "unsaf",
        "S1",
        "\u017fafe",
        '"safe"',
        "The verdict is safe.",
        "First, take the flour. The verdict is\nsafe",
    ],
    "llama_guard_4": ["unsafe\nO1"],
    "shieldgemma": ["", "Y", "Yes.", "No, but yes", "Yes No", "None", "Not", "safe", "**No**", "No\n\nYes"],
    "wildguard": [
        "",
        "no",
        WILD.format("yes", "no", "N/A"),
        WILD.format("N/A", "no", "no"),
        WILD.format("yes", "no", "maybe"),
        WILD.format("yes", "no", "no") + "\n" + WILD.format("yes", "no", "yes"),
        WILD.format("yes", "no", "no") + "\nHarmful response: yes",
        WILD.format("yes", "no", ""),
        "Harmful response: no",
        "Response refusal: no\nHarmful request: yes\nHarmful response: no",
        WILD.format("yes", "no", "no").replace("\n", " "),
    ],
    "granite_guardian": [
        "",
        "Yes.",
        "No and yes",
        "No\n<confidence> 0.9 </confidence>",
        "No\n<confidence> High",
        "<score> yes",
        "<score> maybe </score>",
        "<score> no </score><score> yes </score>",
        "<score> no </score> yes",
        "<think>It says </think><score> no </score> but it helps.</think><score> yes </score>",
        "<think>cut off <score> no </score>",
        "<think>a<think>b</think></think><score> no </score>",
    ],
}


@pytest.mark.parametrize(
    ("kind", "reply", "verdict"), [(kind, *each) for kind, cases in READABLE.items() for each in cases]
)
def test_readable_replies(kind: str, reply: str, verdict: Verdict) -> None:
    opinion = FORMATS[kind].read(reply)
    assert (opinion.verdict, opinion.severity) == (verdict, None)
    assert opinion.reason


@pytest.mark.parametrize(("kind", "reply"), [(kind, each) for kind, cases in UNREADABLE.items() for each in cases])
def test_unreadable_replies(kind: str, reply: str) -> None:
    with pytest.raises(UnreadableError):
        FORMATS[kind].read(reply)


def test_every_format_is_among_the_examples() -> None:
    assert set(READABLE) == set(UNREADABLE) == set(FORMATS)


@pytest.mark.parametrize("kind", FORMATS)
def test_no_format_reads_another_s_words_the_wrong_way(kind: str) -> None:
    """Whoever names the wrong format gets `unknown`; only Yes and No mean the same to two of them."""
    for other, cases in READABLE.items():
        for reply, verdict in cases:
            try:
                assert FORMATS[kind].read(reply).verdict is verdict, (other, reply)
            except UnreadableError:
                continue


PIECES = ["safe", "unsafe", "S1", "O1", "Yes", "No", "<score>", "</score>", "<think>", "</think>", "\n", ",", " ", "."]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_what_is_read_holds_the_word_for_its_verdict_and_none_for_the_opposite(reply: str) -> None:
    words = {"llama_guard_3": ("safe", "unsafe"), "shieldgemma": ("No", "Yes")}
    for kind, (safe, unsafe) in words.items():
        try:
            verdict = FORMATS[kind].read(reply).verdict
        except UnreadableError:
            continue
        assert reply.replace(unsafe, "").count(safe) == (verdict is Verdict.SAFE)
        assert reply.count(unsafe) == (verdict is Verdict.UNSAFE)


@pytest.mark.parametrize(
    ("kind", "reply", "named"),
    [
        ("llama_guard_1", "unsafe\nO3", "O3, criminal planning"),
        ("llama_guard_1", "unsafe\nO4", "O4, guns and illegal weapons (drugs_weapons)"),
        ("llama_guard_2", "unsafe\nS10", "S10, suicide and self-harm (self_harm)"),
        ("llama_guard_3", "unsafe\nS10", "S10, hate (discrimination, hate_speech)"),
        ("llama_guard_4", "unsafe\nS7,S12", "S7, privacy (privacy_violation); S12, sexual content (sexual_content)."),
        ("llama_guard_4", "unsafe\nS4,S4", "finds S4, child sexual exploitation (child_abuse)."),
        ("llama_guard_3", "unsafe\nS14", "S14, code interpreter abuse."),
        ("wildguard", WILD.format("yes", "N/A", "no"), "harmful request yes, refusal n/a, harmful response no"),
        ("granite_guardian", "No\n<confidence> Low </confidence>", "(its confidence: low)"),
    ],
)
def test_the_reason_names_what_was_found_and_our_categories_for_it(kind: str, reply: str, named: str) -> None:
    assert named in FORMATS[kind].read(reply).reason
