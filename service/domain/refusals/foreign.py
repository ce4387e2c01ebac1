"""Does a refusal in another language than English stand alone?

Content is read in English only, so in any other language what stands beside a refusal counts as unread, unless it is
one of the courtesies known here. A refusal that goes on to something unread is no refusal to rely on.
"""

from service.domain.refusals.languages import REFUSALS
from service.domain.refusals.text import Document, Sentence, one_of

_LONGEST_REASON = 160
"""A refusing sentence may go on for so many characters about what it refuses and why."""

_TURN = one_of(
    r"[:;]",
    r"\b(?:pero|aunque|sin embargo|no obstante|primero|el truco|ya que (?:insist|lo pid)|aquí (?:tienes|va|está))",
    r"\b(?:mais|cependant|voici|aber|jedoch|hier (?:ist|sind)|mas|porém|aqui (?:está|vai)|ma|però|tuttavia|ecco)\b",
    r"が、|けれど|けど|ただし|しかし|とはいえ|次の|以下|まず|代わりに",
    r"但是|不过|不過|以下|首先",
)
"""After a refusal: here the sentence turns to something else."""

_GOES_ON = one_of(r"^(?:ほど|くらい|ぐらい|もの|人|方法|場合|内容|と(?:言|い)|のに|わけ)")
"""After a Japanese refusal's last word: it was no sentence of its own but described a noun, or was reported."""

_COURTESY = one_of(
    r"^(?:lo siento|lo lamento|perdona|disculpa|gracias)\b",
    r"\bbusca(?:r)? (?:ayuda|apoyo)\b",
    r"\bhabla(?:r)? con (?:alguien|una persona|un profesional)\b",
    r"\blínea (?:de (?:ayuda|crisis|atención)|telefónica)",
    r"\bayuda profesional\b",
    r"^¿?(?:hay algo más|en qué (?:más|otra cosa)|puedo ayudarte con (?:algo más|otr))",
    r"\bno (?:está|estás) sol[oa]\b",
    r"^(?:esto |eso )?(?:es|sería) (?:ilegal|peligroso|dañino)\.?$",
    r"^(?:申し訳|すみません|ごめん)",
    r"(?:窓口|相談|専門家|医師|警察)(?:に|へ|先に|を)?(?:ご?連絡|ご?相談|頼|話)",
    r"(?:他|ほか|別)の?(?:こと|ご質問|質問|話題|件)?(?:で|に|が)?[^。]{0,12}(?:お手伝い|お役に立|お気軽|あれば)",
    r"^(?:それ|これ|その行為)は(?:違法|危険|犯罪)(?:です|な行為です)[。.]?$",
    r"ご理解(?:ください|いただ)",
)
"""Sentences that may stand beside a refusal: regret, help for the reader, an offer of something else."""


def is_foreign(phrase: str) -> bool:
    """Whether a refusing phrase that was found is one of another language than English."""
    return any(pattern.search(phrase) for pattern in REFUSALS.values())


def stands_alone(read: Document, found: dict[int, str]) -> bool:
    """Whether every sentence refuses, without turning to anything else, or is a known courtesy."""
    return all(
        not _turns(sentence, found[index]) if index in found else bool(_COURTESY.search(sentence.text))
        for index, sentence in enumerate(read.sentences)
    )


def _turns(sentence: Sentence, phrase: str) -> bool:
    rest = sentence.text.partition(phrase)[2].strip()
    return len(rest) > _LONGEST_REASON or bool(_TURN.search(rest) or _GOES_ON.search(rest))
