"""The building material of the matrix generator: its texts as data, and the code that joins them."""

from service.generators.phrasebook.book import Phrasebook, phrasebook
from service.generators.phrasebook.material import LANGUAGES

__all__ = ["LANGUAGES", "Phrasebook", "phrasebook"]
