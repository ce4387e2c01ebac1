"""The pages that people read: their links lead somewhere, and the settings that they name exist."""

import re
import subprocess
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:")
SETTING = re.compile(r"\bPROOFHOUSE_[A-Z][A-Z_]*[A-Z]\b")

_FENCE = re.compile(r"^(```|~~~).*?^\1$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)[^`]+?\1")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def tracked_and_new() -> list[Path]:
    """All files of the repository, whether they were added yet or not, without what is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the git of whoever runs this
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:  # no checkout, such as an unpacked archive
        return [path for path in ROOT.rglob("*") if ".venv" not in path.parts]
    return [ROOT / line for line in listed.stdout.splitlines()]


FILES = [path for path in tracked_and_new() if path.is_file()]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in FILES if path.suffix == ".md")
USERS_PAGES = [page for page in PAGES if page != "CONTRIBUTING.md"]


def links(page: str) -> list[str]:
    return _LINK.findall(_CODE.sub("", _FENCE.sub("", (ROOT / page).read_text())))


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link, as GitHub makes it."""
    seen: Counter[str] = Counter()
    made = set()
    for heading in _HEADING.findall(_FENCE.sub("", page.read_text())):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        made.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return made


def broken(page: str, link: str) -> bool:
    target, _, anchor = unquote(link).partition("#")
    path = ((ROOT / page).parent / target).resolve() if target else ROOT / page
    if not path.exists() or ROOT not in (path, *path.parents):
        return True
    return bool(anchor) and (path.suffix != ".md" or anchor not in anchors(path))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_repository_leads_somewhere(page: str) -> None:
    assert not [link for link in links(page) if not ELSEWHERE.match(link) and broken(page, link)]


def test_every_page_in_docs_is_in_the_index() -> None:
    listed = {link.partition("#")[0] for link in links("docs/README.md")}
    assert {Path(page).name for page in PAGES if Path(page).parent == Path("docs")} - {"README.md"} <= listed


def test_every_setting_that_a_page_names_is_in_the_example() -> None:
    """But those for tests alone, which stand on the page for contributors."""
    known = set(SETTING.findall((ROOT / ".env.example").read_text()))
    named = {name: page for page in USERS_PAGES for name in SETTING.findall((ROOT / page).read_text())}
    assert not {name: page for name, page in named.items() if name not in known}


def test_every_setting_of_the_service_is_in_the_example() -> None:
    """But the one for tests alone."""
    known = set(SETTING.findall((ROOT / ".env.example").read_text()))
    settings = (ROOT / "service" / "settings.py").read_text()
    read = {
        f"PROOFHOUSE_{name}" for name in re.findall(r"(?:_required|_boolean|_port)\(environ, \"([A-Z_]+)\"", settings)
    }
    read |= {f"PROOFHOUSE_{name}" for name in re.findall(r"PREFIX \+ \"([A-Z_]+)\"", settings)}
    assert read - {"PROOFHOUSE_FAILPOINTS"} <= known
