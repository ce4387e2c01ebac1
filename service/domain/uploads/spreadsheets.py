"""What keeps a spreadsheet from running a cell as a formula, and how it is taken off again.

A cell that begins as a formula does, or with an apostrophe, is written with an apostrophe before it; so every cell of
ours that begins with one has it from here. Other people's files are not touched: ours are known by their header.
"""

EXPORTED = ("index", "prompt", "category", "style", "technique", "language", "attack")
"""The columns of an exported suite. An upload with just this header is one."""
_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
"""Of formulas, the full-width signs that some spreadsheets read alike, and of what is written here."""


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{text}" if text.startswith(_BEGINNINGS) else text


def unguarded(cell: str) -> str:
    """The text of a cell that `guarded` wrote."""
    return cell.removeprefix("'")
