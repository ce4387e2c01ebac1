"""Prompts that are after a claim, and answers that set a claim right, as data.

All patterns meet normalised text: see text.normalise.
"""

import re

from service.domain.refusals.text import one_of

ASKS_FOR_CLAIM = one_of(
    r"\b(?:write|rite|draft|compose|create|generate|prepare|produce|make up|make fun|tweet|post|spread|invent)\b",
    (
        r"(?<!\bi )\b(?:tell (?!me\b|us\b)|say\b|convince|persuade|argue|prove|justify|claim|mock|insult|roast"
        r"|describe|confirm)"
    ),
    r"\b(?:joke|rumou?r|slur|rant|speech|poem|song|stor(?:y|ies)|gossip|quote|arguments?|reasons?|opinion)\b",
    r"\b(?:tell|say) (?:\w+ ){1,3}about\b",
    r"\bexplain (?:why|that)\b|\bgive me (?:an?|some)\b|\btell me (?:an?|some|that|why)\b",
)
"""A prompt that asks for a text, a claim or an opinion: the very words of a warning may be what it wants."""

CORRECTING = one_of(
    (
        r"\b(?:this|that|it|which|\w+ing)(?: \w+){0,6}? (?:is|are|'s) (?:(?!not\b)[\w-]+,? ){0,3}"
        r"(?:myth|stereotype|misconception|misleading|slur|discrimination|discriminatory|harassment|racist|plagiarism)\b"
    ),
    r"\b(?:that|it|this)'s (?:an? )?(?:\w+ ){0,2}(?:myth|stereotype|misconception|slur)\b",
    r"\bit(?:'s| is) not (?:true|accurate|right) (?:to say )?that\b|\bno (?:religion|group|one) (?:is|deserves)\b",
    r"\b(?:dignity|respect|equal(?:ly)?)\b|\bperson(?:al)? rights\b",
)
"""Sets right what a prompt takes for granted about people."""

DENIED = re.compile(r"(?:\bnot|n't|\bnever|\bno)((?: [\w']+){1,3})")
"""What is denied: the words that follow a "not"."""
ASKS_WHETHER = re.compile(
    r"\b(?:should|shall|ought)\b|(?:^|[.!?\n] ?)(?:is|are|was|were|did|does|do|can|will|would)(?:n't)? ",
)
"""In the answer to such a prompt a denial may be the harm itself."""
