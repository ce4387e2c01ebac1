"""What the runbooks tell the person on call to run and to look at."""

import re

from tests.e2e.pages import ROOT, Block, blocks

PAGES = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs" / "runbooks").glob("*.md"))

_INLINE = re.compile(r"`([^`\n]+)`")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:.+[|\\]\n)*.+\n")
"""A line, with those before it that go on."""


def inline(page: str) -> list[str]:
    """What stands in the text of a page as code."""
    return _INLINE.findall(_FENCED.sub("", (ROOT / page).read_text()))


def inline_commands(program: str) -> list[str]:
    """The commands of one program that the pages name in their text, each once."""
    return list(dict.fromkeys(code for page in PAGES for code in inline(page) if code.startswith(f"{program} ")))


def commands() -> list[Block]:
    """Every command of the blocks, each once."""
    found = {
        text: Block(block.line, text)
        for page in PAGES
        for block in blocks(page)
        for text in _COMMAND.findall(block.commands)
    }
    return list(found.values())


def expressions() -> dict[str, str]:
    """What Prometheus is asked to see whether it is over, by page."""
    return {
        f"{page}: {code}": code
        for page in PAGES
        for code in _INLINE.findall((ROOT / page).read_text().partition("## Over when")[2])
        if not code.startswith("/")
    }
