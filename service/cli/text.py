"""Making text of models and servers safe to show in a terminal."""

import unicodedata

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Control and format characters (escape sequences, reversed writing, invisible text), and what no font can show."""


def plain(text: str, *, lines: bool = False) -> str:
    r"""The text with every character that a terminal might act on, or that hides, written out like \x1b.

    Line breaks and tabs stay with `lines`, and become blanks without.
    """
    return "".join(_shown(character, lines=lines) for character in text)


def _shown(character: str, *, lines: bool) -> str:
    if character in "\n\t":
        return character if lines else " "
    if unicodedata.category(character) in _UNSAFE:
        return character.encode("unicode_escape").decode()
    return character
