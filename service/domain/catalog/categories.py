"""What a case may be about: fourteen categories of unsafe content.

Source: the categories of ASTRAL (arXiv 2501.17132), whose long names are those of the BeaverTails data set
(arXiv 2307.04657). The definitions and the mappings to other taxonomies are ours.

`mlcommons` uses the short codes of the twelve AILuminate v1.0 hazards (arXiv 2503.05731) as MLCommons' own runner
modelbench spells them: vcr violent crimes, ncr non-violent crimes, src sex-related crimes, cse child sexual
exploitation, dfm defamation, spc specialized advice, prv privacy, ipv intellectual property, iwp indiscriminate
weapons, hte hate, ssh suicide and self-harm, sxc sexual content. We leave out its sub-hazards (spc_ele, sxc_prn and
so on), because a whole category of ours never falls within one. `openai_moderation` uses the category names that the
moderation endpoint returns for omni-moderation models. Both list what a category overlaps with; an empty tuple says
that the other taxonomy has nothing like it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Category:
    """One category of unsafe content, and what others call it."""

    id: str
    title: str
    definition: str
    astral_id: str
    """`c1` to `c14`, as in the papers' result tables."""
    astral_name: str
    """The authors' long name."""
    mlcommons: tuple[str, ...]
    """Codes of the MLCommons AILuminate v1.0 hazards it overlaps with, the closest first."""
    openai_moderation: tuple[str, ...]
    """Names of the OpenAI moderation categories it overlaps with, the closest first."""


_IN_ORDER = (
    Category(
        "animal_abuse",
        "Animal abuse",
        "Cruelty to animals: injuring, neglecting, baiting or illegally trading them, and hiding it.",
        "c1",
        "animal_abuse",
        ("vcr", "ncr"),
        ("violence", "violence/graphic", "illicit"),
    ),
    Category(
        "child_abuse",
        "Child abuse",
        "Neglect, mistreatment or exploitation of children, and evading those who protect them.",
        "c2",
        "child_abuse",
        ("cse", "vcr"),
        ("sexual/minors", "violence", "illicit"),
    ),
    Category(
        "controversial_topics",
        "Controversial topics and politics",
        "One-sided agitation, propaganda and manipulation on disputed political and social questions.",
        "c3",
        "controversial_topics,politics",
        ("spc", "dfm"),
        (),
    ),
    Category(
        "discrimination",
        "Discrimination, stereotype, injustice",
        "Treating people worse, or calling for it, because of origin, sex, faith, age, disability or the like.",
        "c4",
        "discrimination,stereotype,injustice",
        ("hte",),
        ("hate", "harassment"),
    ),
    Category(
        "drugs_weapons",
        "Drugs, weapons, banned substances",
        "Making, buying, selling, smuggling or misusing drugs, weapons and other banned substances.",
        "c5",
        "drug_abuse,weapons,banned_substance",
        ("ncr", "iwp"),
        ("illicit", "illicit/violent"),
    ),
    Category(
        "financial_crime",
        "Financial and property crime, theft",
        "Fraud, money laundering, tax evasion, burglary and theft.",
        "c6",
        "financial_crime,property_crime,theft",
        ("ncr",),
        ("illicit",),
    ),
    Category(
        "hate_speech",
        "Hate speech, offensive language",
        "Language that demeans, dehumanises or threatens people for a protected characteristic, and abusive insults.",
        "c7",
        "hate_speech,offensive_language",
        ("hte",),
        ("hate", "hate/threatening", "harassment", "harassment/threatening"),
    ),
    Category(
        "misinformation",
        "Misinformation on ethics, laws and safety",
        "False or misleading claims on health, science, law, safety and public life, presented as true.",
        "c8",
        "misinformation_regarding_ethics,laws_and_safety",
        ("spc", "dfm"),
        (),
    ),
    Category(
        "non_violent_unethical_behavior",
        "Non-violent unethical behaviour",
        "Deceit, cheating, manipulation and breach of trust without violence, whether or not a law forbids it.",
        "c9",
        "non_violent_unethical_behavior",
        ("ncr", "ipv"),
        ("illicit", "harassment"),
    ),
    Category(
        "privacy_violation",
        "Privacy violation",
        "Getting, using or publishing others' personal data without their consent; stalking and surveillance.",
        "c10",
        "privacy_violation",
        ("prv",),
        ("illicit", "harassment"),
    ),
    Category(
        "self_harm",
        "Self-harm",
        "Suicide, self-injury and eating disorders: methods, encouragement and concealment.",
        "c11",
        "self_harm",
        ("ssh",),
        ("self-harm", "self-harm/intent", "self-harm/instructions"),
    ),
    Category(
        "sexual_content",
        "Sexually explicit and adult content",
        "Explicit sexual material about adults, and sexual conduct or images without consent.",
        "c12",
        "sexually_explicit,adult_content",
        ("sxc", "src"),
        ("sexual",),
    ),
    Category(
        "terrorism",
        "Terrorism and organised crime",
        "Planning, financing, recruiting for or glorifying terrorism and organised crime.",
        "c13",
        "terrorism,organized_crime",
        ("vcr", "iwp", "ncr"),
        ("illicit/violent", "violence"),
    ),
    Category(
        "violence",
        "Violence, aiding and abetting, incitement",
        "Hurting or threatening people, helping others to, and stirring them up to it.",
        "c14",
        "violence,aiding_and_abetting,incitement",
        ("vcr", "src"),
        ("violence", "violence/graphic", "illicit/violent", "harassment/threatening"),
    ),
)

CATEGORIES: Mapping[str, Category] = MappingProxyType({category.id: category for category in _IN_ORDER})
"""Categories by our id, in the order c1 to c14 of the papers."""

_BY_ASTRAL = {key: category for category in _IN_ORDER for key in (category.astral_id, category.astral_name)}


def category_from_astral(id_or_name: str) -> Category:
    """The category that the authors of ASTRAL call by this id (`c5`) or long name.

    Raises:
        KeyError: they have none of that id or name.
    """
    return _BY_ASTRAL[id_or_name]
