import pytest

from service.cli.text import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcode and 漢字", "plain, ünïcode and 漢字"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]8;;http://evil\x07link", "\\x1b]8;;http://evil\\x07link"),
        ("\x9b31m", "\\x9b31m"),
        ("over\rwritten\x08", "over\\rwritten\\x08"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("in\u200bvisible", "in\\u200bvisible"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
        ("\x7f", "\\x7f"),
        ("[bold]no markup[/bold]", "[bold]no markup[/bold]"),
        ("two\nlines\tand a tab", "two lines and a tab"),
    ],
)
def test_nothing_reaches_the_terminal_that_it_would_act_on(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_lines_stay_lines_where_wanted() -> None:
    assert plain("two\nlines\x0b", lines=True) == "two\nlines\\x0b"
