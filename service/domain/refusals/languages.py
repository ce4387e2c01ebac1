"""Other languages than English: their common refusal sentences and the words they are known by, as data."""

import re

from service.domain.refusals.text import word_set

_ES = (
    r"\bno (?:puedo|podemos|debo|voy a|me es posible|estoy autorizad[oa] (?:a|para)"
    r"|quiero) (?:\w+ ){0,2}?(?:ayud|asist|"
    r"proporcion|dar\b|dart|ofrec|escrib|crear|generar|respond|cumpl|hacer|particip|facilit|explic|compart|brind|"
    r"continu|atend)\w*|\blo siento,? (?:pero )?no puedo\b"
    r"|\bme niego a (?:ayud|escrib|respond|explic|hacer|particip|dar\b|crear|redact)\w*"
    r"|\b(?:debo|tengo que) (?:declinar|rechazar) (?:esta|esa|tu|su|la) (?:petición|solicitud)"
    r"|\bno (?:pienso|quisiera) (?:ayudart|escribir|explicart|hacerlo)\w*"
)
_FR = (
    r"\bje (?:ne )?(?:peux|saurais|pourrai|veux|vais)(?: malheureusement)? pas (?:(?:vous|te|t'"
    r"|y) ?)?(?:aider|fournir|"
    r"écrire|répondre|donner|créer|assister|continuer|expliquer|participer|vous|faire|proposer|partager)"
    r"|\bje ne suis pas en mesure\b|\bil m'est impossible\b|\bje refuse\b|\bje dois (?:décliner|refuser)\b"
)
_DE = (
    r"\b(?:(?:ich|wir) (?:kann|darf|werde|möchte|können)|(?:kann|darf|werde|möchte) ich)\b(?: \w+){0,6}? "
    r"(?:nicht|keine?n?)\b(?: \w+){0,6}? (?:helfen|weiterhelfen|unterstützen|beantworten|bereitstellen"
    r"|geben|schreiben|"
    r"erfüllen|erstellen|nennen|erklären|dienen|anbieten)\b|\bich kann (?:\w+ ){0,3}nicht beim?\b"
)
_PT = (
    r"\bn[ãa]o (?:posso|consigo|vou|irei|devo|poderei) (?:\w+ ){0,2}?(?:ajud|auxili|fornec|dar\b|criar"
    r"|escrev|respond|"
    r"compartilh|gerar|fazer|atend|explic|oferec|particip|continu)\w*"
)
_IT = (
    r"\bnon (?:posso|potrei|sono in grado di|intendo|voglio) (?:\w+ ){0,2}?(?:aiut|assist|forni|scriv|crea"
    r"|rispond|dar|"
    r"genera|soddisf|spiegar|condivid|continua)\w*"
)
_JA = (
    r"(?:手伝い|答え|応え|回答|提供|支援|協力|サポート|対応|教え|説明|"
    r"作成|応じ)(?:す?る)?(?:こと)?[はが]?(?:でき(?:ません|ない|かねます)|"
    r"(?:いたし|致し|し)?かねます)"
    r"|お断り(?:します|いたします|致します|させていただ|しなければ)|(?:お答え|回答|説明)は?(?:差し)?控えさせて"
    r"|(?:書く|作る|作成する|伝える|示す)ことはできません"
)
_ZH = (
    r"(?:无法|不能|不会|無法|不會|没办法|拒绝|拒絕)(?:[为向给給為][您你])?"
    r"(?:提供|协助|帮助|幫助|協助|回答|满足|支持|参与|编写|生成|撰写|描述|"
    r"讨论|完成|解释|告诉|继续)"
)

REFUSALS: dict[str, re.Pattern[str]] = {
    code: re.compile(pattern)
    for code, pattern in {"es": _ES, "fr": _FR, "de": _DE, "pt": _PT, "it": _IT, "ja": _JA, "zh": _ZH}.items()
}
"""Common refusal sentences by language. English is in phrases.py."""

SUPPORTED = ("en", *REFUSALS)

STOP_WORDS: dict[str, frozenset[str]] = {
    "en": word_set("""
        the a an to of and is are was were be been it it's its that this these those you your i i'm my we our they them
        their he she his her for with in on at by from as or if but not no so can can't could will would should have has
        do does don't did there here what how when where which who why all some any about into than then up out just
        more most other such only also may might must u me him us yes sure let's let
    """),
    "es": word_set("el la los las de que y en un una por para con no se lo es su al del como si pero le te me eso"),
    "fr": word_set("le la les de des et en un une est que qui dans pour pas ne je vous il elle sur avec ce du au mais"),
    "de": word_set("""
        der die das und ist nicht ein eine zu den dem mit von ich sie er es auf für im als auch kann dir aber
    """),
    "pt": word_set("o a os as de que e em um uma para com não se do da no na por mas isso eu você é"),
    "it": word_set("il lo la i gli le di che e un una per con non si del della mi ti ma è questa questo sono"),
    "other": word_set("""
        och det som att är jag ett var hade ikke og er jeg på het een niet van ik zijn voor się nie jest że w z na tym
        ale mi ve bir bu için ile ei että se kun ja on oli mutta sen kuin a az egy nem és hogy și nu este pe să yang dan
        untuk tidak dengan ini adalah không là và của
    """),
}
"""Frequent small words by language; `other` holds those of languages that are told apart but not supported."""
