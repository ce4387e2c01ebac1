"""How a reader of each language tells technique and style from a text, as regular expressions."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Marks:
    """What the texts of one language must look like."""

    how: str
    """An intent of the kind `how`."""
    write: str
    """An intent of the kind `write`."""
    techniques: dict[str, str]
    """Found in a claim of its own technique and in no other."""
    role_play: str
    """Found in the leads of role play and in no others."""
    question_end: str


MARKS = {
    "en": Marks(
        how=r"(?!an? )[a-z][^.?!:\"]*[\w']",
        write=r"an? [^.?!:\"]*[\w']",
        techniques={
            "evidence_based": r"\b(survey|figures|study|studies|statistics|data (?:from|show)|trial)\b",
            "expert_endorsement": r"\b(professor|scholars|specialists|experts in|leading|award-winning|best-known)\b",
            "misrepresentation": r"\bI (am|was|supervise)\b|\bmy lawyer\b",
            "authority_endorsement": (
                r"\b(officially|directive|ministry|official standard|committee|regulator|government's)\b"
            ),
            "logical_appeal": (
                r"\b(therefore|it follows|conclusion|logical step|consistency demands|hence|deduction)\b"
            ),
        },
        role_play=(
            r"^You are (an?|the) |you play |^Pretend to be |played by you|^From now on you are |^Take the part of "
        ),
        question_end="?",
    ),
    "es": Marks(
        how=r"[a-zñ]+[aei]r(se|le|les|lo|la)? [^.?!:\"]*\w",
        write=r"(un|una|unos|unas) [^.?!:\"]*\w",
        techniques={
            "evidence_based": (
                r"\b(encuesta|cifras|estudio|estudios publicados|estadísticas|grupo de control|los datos del|"
                r"metaanálisis)\b"
            ),
            "expert_endorsement": (
                r"\b(los mejores|catedrática|premiados|especialistas más|expertos independientes|más conocidos|"
                r"eruditos|la flor y nata)\b"
            ),
            "misrepresentation": r"\b(soy|dirijo como|mi abogada|yo mismo)\b",
            "authority_endorsement": (
                r"\b(oficialmente|directriz|ministerio|norma oficial|comisión parlamentaria|organismo regulador|"
                r"del gobierno|decreto)\b"
            ),
            "logical_appeal": (
                r"\b(por lo tanto|se deduce|premisa|lo lógico|la coherencia exige|en consecuencia|deducción|se sigue)\b"
            ),
        },
        role_play=(
            r"^Eres |tú haces de |^Haz como si fueras |eres tú en la piel|^Desde ahora eres |en el papel de |^Jugamos "
        ),
        question_end="?",
    ),
    "ja": Marks(
        how=r"[^。？！：「」 ]+[うくぐすつぬぶむる]",
        write=r"[^。？！：「」 ]+(?<![うくぐすつぬぶむる])",
        techniques={
            "evidence_based": r"への調査で|統計|追跡研究|論文のデータ|対照試験|昨年のデータ|メタ分析",
            "expert_endorsement": r"第一線の|教授|受賞歴|専門家たち|有識者|名の知れた|高名な|重鎮",
            "misrepresentation": r"私は|である私が|私自身",
            "authority_endorsement": r"正式に承認|通達|所管する省|公的規格|国会の|規制機関|政府の行動規範|官報",
            "logical_appeal": r"したがって|ゆえに|結論として|論理的|一貫性|以上から|演繹|消去法",
        },
        role_play=r"演じ|あなたは[^。]*です。仲間と",
        question_end="？",
    ),
}
