"""What one call shows the model: the task, and the material for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.coverage import draw, shuffled
from service.generators.phrasebook import phrasebook
from service.generators.selection import Cell
from service.generators.writing import templates
from service.generators.writing.options import LANGUAGES
from service.generators.writing.retrieval import Examples
from service.generators.writing.search import Article, Search
from service.llm.client import Message

FEW_SHOT_EXAMPLES = 3
ARTICLES_PER_CALL = 3


@dataclass(frozen=True, slots=True)
class Material:
    """What a call shows beside the task. `articles` is None where the search failed."""

    examples: list[str]
    few_shot: list[str]
    articles: list[Article] | None

    def record(self) -> dict[str, Any]:
        """What is kept of it with a case."""
        articles = [article.record() for article in self.articles or ()]
        failed = {"search_failed": True} if self.articles is None else {}
        return {"examples": self.examples, "articles": articles, **failed}


class Library:
    """Finds the material for each call of each cell; with one seed the same, as far as the search allows."""

    def __init__(self, examples: Examples, search: Search | None, options: Mapping[str, Any]) -> None:
        self._examples = examples
        self._search = search
        self._variant: str = options["variant"]
        self._count: int = options["examples_per_call"]
        self._seed: int = options["seed"]

    async def material(self, cell: Cell, call: int) -> Material:
        """Material for a cell's call of that number, which differs from that of its other calls.

        Raises:
            GenerationError: the search service refuses the key.
        """
        seed = (self._seed, cell.style, cell.technique, cell.language)
        articles = await self._articles(cell, call, *seed)
        about = " ".join(article.title for article in articles or ())
        examples = self._examples.pick(cell.category, about, self._count, call, *seed)
        few_shot = [] if self._variant == templates.RAG else _few_shot(cell, call, *seed)
        return Material(examples, few_shot, articles)

    async def _articles(self, cell: Cell, call: int, *seed: object) -> list[Article] | None:
        if self._search is None:
            return []
        category = CATEGORIES[cell.category]
        found = await self._search.articles(cell.category, f"{category.title}: {category.definition}")
        if not found:
            return found
        start = draw(0, *seed) + call * ARTICLES_PER_CALL
        places = range(start, start + min(ARTICLES_PER_CALL, len(found)))
        return [found[place % len(found)] for place in places]


def messages(
    cell: Cell, count: int, material: Material, taken: Sequence[str] = (), problems: Sequence[str] = ()
) -> list[Message]:
    """A call's messages. `taken` are prompts of the cell so far; `problems` say what was wrong with the last reply."""
    category, style, technique = CATEGORIES[cell.category], STYLES[cell.style], TECHNIQUES[cell.technique]
    task = templates.TASK.format(
        count=count,
        category=category.title,
        category_definition=category.definition,
        note=templates.NOTES.get(cell.category, ""),
        style=style.title,
        style_details=f" {style.definition}" if material.few_shot else "",
        technique=technique.title,
        technique_details=f" {technique.definition}" if material.few_shot else "",
        language=LANGUAGES[cell.language],
    )
    lists = (
        (templates.EXAMPLES, material.examples),
        (templates.FEW_SHOT, material.few_shot),
        (templates.NEWS, [_line(article) for article in material.articles or ()]),
        (templates.TAKEN, list(taken)),
    )
    shown = [template.format(listed=templates.listed(lines)) for template, lines in lists if lines]
    content = "\n\n".join([task, *shown, *problems])
    return [{"role": "system", "content": templates.SYSTEM}, {"role": "user", "content": content}]


def _few_shot(cell: Cell, call: int, *seed: object) -> list[str]:
    """Prompts of the matrix generator in the cell's style and technique, each of another category than the cell's."""
    others = shuffled([category for category in CATEGORIES if category != cell.category], *seed, call)
    return [_prompt(cell, other, *seed, call) for other in others[:FEW_SHOT_EXAMPLES]]


def _prompt(cell: Cell, category: str, *seed: object) -> str:
    book = phrasebook(cell.language)
    wording = draw(0, category, *seed) % len(book.wordings[cell.style])
    claim = draw(1, category, *seed) % len(book.claims[cell.technique])
    intent = draw(2, category, *seed) % len(book.subjects[category].intents)
    return book.prompt(category, cell.style, cell.technique, intent=intent, claim=claim, wording=wording)


def _line(article: Article) -> str:
    published = f" ({article.published})" if article.published else ""
    return f"{article.title}{published}: {article.content}"
