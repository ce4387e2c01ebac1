"""How models decline in English, as data. All patterns meet normalised text: see text.normalise.

They describe whole turns of phrase in the first person (or the service's own voice), never topic words: a text that
says "illegal" has not refused anything.
"""

import re

from service.domain.refusals.text import Cued, one_of, word_set

_VERBS = (
    r"(?:assist|help(?! but\b| feeling| thinking| wondering| myself)|aid|provide|give(?! up\b| in\b)|offer|supply|share"
    r"|create|write|draft|compose|generate|produce|craft|develop|design|support|comply|fulfill?|do (?:that|this|it|so)"
    r"|engage|participate|take (?:part|on|sides?|a side|a position|a stance)|discuss|answer|respond|reply|continue"
    r"|proceed|complete|facilitate|endorse|encourage|promote|condone|advise|teach|explain|describe|suggest|guide"
    r"|show you|tell you (?:how to|where|who|what|which)|walk you|make (?:that|this|such|an?|any|up)|argue"
    r"|recommend(?! (?:\S+ ){0,3}enough)|be (?:part|involved|a party)|go along|accommodate|satisfy|carry out"
    r"|talk about|pretend|play|role-?play|act as|adopt|process|entertain|allow|compile|list|instruct|contribute|track"
    r"|locate|identify|repeat|reveal|disclose|translate|summari[sz]e|plan|impersonate|simulate|access|conceal"
    r"|express|let you|step into|speak (?:as|for|about)|confirm|enable|justify|defend|generali[sz]e|stereotype)"
)
"""What a model says it will not do. "I can't wait", "can't stress enough", "can't believe" are not among them."""
_NOT_REFUSING = (
    r"(?:wait|believe|stress|emphasi[sz]e|overstate|imagine|thank|lie|blame|resist|deny|agree more|say enough"
    r"|check|browse|see\b|hear|feel|remember|recall|predict|know|understand|find\b"
    r"|access (?:real|live|current|the internet))"
)
_NO_POWER_TO = (
    r"(?:access|browse|see|hear|feel|remember|recall|experience|understand|find any|view|wait|lie|sugarcoat|have\b)"
)
_SELF = (
    r"(?<!\bif )(?<!\bwhy )(?<!\bwhen )(?<!\bhow )(?<!\bwhat )(?<!\bwhere )(?<!\bwho )(?<![\w'])"
    r"(?:i|we)(?: (?:simply|really|just|also|still|therefore|must say|do|personally|honestly))?"
)
_AM = r"(?:'?m| am|'re| are)(?: (?:really|just|simply|also|currently|therefore|afraid i'?m))?"
_MODAL = (
    r"(?:can'?t|cannot|can not|won'?t|will not|wouldn'?t|would not|shouldn'?t|should not|couldn'?t|could not"
    r"|must not|mustn't|ain'?t (?:gonna|going to))"
)
_ADVERBS = (
    r"(?: (?:and|or|will|can|should|not|won't|cannot|in good conscience|in any way|ethically|legally|morally|knowingly"
    r"|really|actually|directly|also|ever|simply|even|responsibly|safely|personally|be able to|possibly))*"
)
_DO_NOT = r"(?:don'?t|do not)"
_RULES = r"(?:\w+ ){0,3}(?:guidelines?|polic(?:y|ies)|programming|principles|values|rules|terms|instructions|training)"
_MADE_FOR = (
    r"(?:unable to|unwilling to|prohibited from|not gonna"
    r"|not (?:able|willing|going|supposed|allowed|permitted|designed|programmed|in a position) to)"
)

REFUSALS: tuple[str, ...] = (
    rf"{_SELF} {_MODAL}{_ADVERBS} {_VERBS}\b",
    (
        r"\b(?:sorry|apologi[sz]e|apologies|unfortunately|regret|afraid)\b[^.\n]{0,60}?\b(?:i|we)"
        r"(?: (?:can'?t|cannot|can not|won'?t|will not)|(?:'m| am| are|'re) (?:unable|not able) to) "
        rf"(?!{_NOT_REFUSING})"
    ),
    rf"{_SELF}{_AM} {_MADE_FOR} (?!{_NO_POWER_TO})",
    rf"{_SELF}{_AM} (?:not comfortable|uncomfortable)\b",
    (
        rf"{_SELF}(?:'ll| will| must| have to| need to|'m going to|'m afraid i must|'m obliged to)?(?: have to)?"
        r"(?: (?:respectfully|politely|firmly))? (?:decline|refuse)\b"
    ),
    r"(?<![\w'])(?:i'd|i would|we'd|i) (?:(?:really|much) )?(?:rather not|prefer (?:not|to (?:keep|avoid|not|talk)))",
    (
        rf"{_SELF} {_DO_NOT} (?:think|believe|feel) (?:that )?(?:i (?:should|can|could)\b|comfortable|right"
        r"|it(?:'s| is|'d be| would be) (?:right|appropriate|ethical|ok|okay|responsible|a good idea)(?: for me)? )"
    ),
    (
        rf"{_SELF} (?:{_DO_NOT}|never) (?:take (?:sides|a side|positions?|a position)|create|write|produce"
        rf"|provide|assist"
        r"|condone|engage in|participate|do (?:that|this|such|\S+s\b)|help (?:with|people)|generate"
        r"|promote|endorse|support)"
    ),
    (
        rf"\b(?:i|we|ai|model|assistant|program),?(?: and)? {_DO_NOT} have the (?:ability|capability"
        rf"|capacity|authority)"
        rf" to (?:{_VERBS}|view|read|see)\b"
    ),
    rf"\b(?:ai|model|assistant|program),? and (?:{_DO_NOT}|can'?t|cannot|won'?t|will not){_ADVERBS} {_VERBS}\b",
    (
        r"\b(?:never|not|isn't) (?:appropriate|ethical|acceptable|okay)(?: or \w+)? to "
        r"(?:discuss|promote|provide|assist|help)\b"
    ),
    r"\b(?:not|isn't|ain't|wouldn't be) something (?:that )?(?:i|we)(?:'|\b)",
    rf"\bsomething (?:that )?(?:i|we) (?:can'?t|cannot|won'?t|will not|{_DO_NOT})\b",
    rf"\b(?:against|violates?|violating|outside|breach(?:es)?) (?:my|our|the|openai's) {_RULES}",
    rf"\b(?:not|isn't) (?:within|in line with) (?:my|our) {_RULES}",
    rf"\b(?:my|our) {_RULES} (?:don'?t|do not|doesn't|does not|prevents?|prohibits?|forbids?|won'?t|stop)\b",
    (
        r"\b(?:wouldn't|would not|isn't|is not|not) (?:be )?(?:right|appropriate|ethical|responsible|okay|possible)"
        r"(?: (?:or|nor|and) \w+)? (?:for me )?to "
        r"(?:help|assist|provide|create|write|give|share|answer|discuss|generate|be)\b"
    ),
    r"\b(?:inappropriate|unethical|irresponsible|wrong) (?:for|of) me to\b",
    (
        r"\b(?:your|this|the) (?:request|prompt|message|content|response|query|input|question) "
        r"(?:(?:was|has been|is|were|may|might|appears to) (?:\w+ ){0,3}"
        r"(?:blocked|flagged|rejected|filtered|denied|refused|violat(?:e|es|ed|ing|ion))"
        r"|(?:cannot|can't|could not) be (?:completed|processed|fulfilled))"
    ),
    r"^content (?:was |has been |is )?(?:blocked|filtered|not allowed|removed|withheld)",
    r"\b(?:no way|not a chance) (?:that )?(?:i'm|i am|am i|i'll|i will)\b",
    r"\bi(?:'m| am) not (?:about|here) to (?:help|assist|give|provide|tell|write)",
)
"""Searched for anywhere in a sentence."""

CHANGES_OF_SUBJECT = (
    r"\b(?:let's|let us|can we|could we|why don't we|how about we) (?:please )?"
    r"(?:talk about|change|move on|discuss|focus on|stick to)\b "
    r"(?:to )?(?:something|a different|the (?:topic|subject)|another|other|happier)"
)

_INTERJECTIONS = (
    r"(?:(?:sorry|no|nah|nope|oh|well|hmm+|uh|look|listen|hey|mate|bro|fam|friend|dude|bruh|but|so)[,.!]* )*"
)
BARE_REFUSALS: tuple[str, ...] = (
    (
        rf"^{_INTERJECTIONS}(?:can'?t|cannot|won'?t|ain'?t|not (?:gonna|going to)|unable to)(?: gonna)? "
        r"(?:help|do (?:that|this|it)|assist|happen|answer|comply|support|provide|write|touch)\b"
    ),
    rf"^{_INTERJECTIONS}(?:no can do|hard pass|absolutely not|not happening|not a chance)\b",
    rf"^{_INTERJECTIONS}not something (?:i|we)\b",
    rf"^{_INTERJECTIONS}(?:i|we) (?:can'?t|cannot|won'?t|will not)(?: do (?:that|this|it))?(?:,? sorry)?[.!]*$",
)
"""Without a subject, as in speech: only at the start of a sentence, after interjections."""

REFUSAL = Cued(
    one_of(*REFUSALS, CHANGES_OF_SUBJECT, *BARE_REFUSALS),
    word_set("""
        ain't against another apologise apologize blocked breach breaches can't cannot cant couldn't decline denied
        different doesn't don't dont filtered flagged forbids hard inappropriate irresponsible isn't mustn't nah never
        no nope not outside prefer prevents prohibited prohibits rather refuse refused rejected removed shouldn't
        something sorry stop subject topic unable uncomfortable unethical unfortunately unwilling violate violated
        violates violating violation withheld won't wont wouldn't wrong
    """),
)
"""Finds a refusal in a sentence."""

WHOLE_REFUSAL = re.compile(r"(?:no|nope|nah|no way|never)(?:,? (?:sorry|thanks|thank you))?[.!]*")
"""Refuses only if the answer is nothing else: "No." also opens answers to questions."""
