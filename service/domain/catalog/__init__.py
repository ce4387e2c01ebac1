"""The catalogue: what a case may be about, and how it may be put."""

from service.domain.catalog.categories import CATEGORIES, Category, category_from_astral
from service.domain.catalog.features import STYLES, TECHNIQUES, Feature

__all__ = ["CATEGORIES", "STYLES", "TECHNIQUES", "Category", "Feature", "category_from_astral"]
