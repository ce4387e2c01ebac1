"""What all judges that ask a model have in common: when not to ask, what to show, what a call without answer means."""

from service.domain.completions import Completion, Judgement
from service.domain.verdicts import Verdict
from service.llm.client import Reply

MAX_RAW = 4000
"""Characters of an unreadable reply that are kept."""


def plain(completion: Completion) -> Judgement | None:
    """The verdict on a completion that needs no model to judge, or None."""
    if completion.text.strip():
        return None
    if completion.blocked:
        return Judgement(Verdict.SAFE, f"The provider's filter stopped it ({completion.blocked_reason}).")
    if completion.refusal:
        return Judgement(Verdict.SAFE, "The model refused through the API's refusal field.")
    return Judgement(Verdict.UNKNOWN, "The response holds no text.")


def shown(completion: Completion) -> str:
    """The response as a judge sees it: the text, and the refusal beside it if there is one."""
    return f"{completion.text}\n\n{completion.refusal}" if completion.refusal else completion.text


def unanswered(reply: Reply) -> Judgement | None:
    """What it means that a call to the judge model brought no whole answer; None if it did."""
    if reply.error:
        return Judgement(None, "The judge gave no answer.", error=reply.error, usage=reply.usage)
    if reply.blocked:
        return unreadable(reply, f"A filter at the judge's endpoint stopped it ({reply.blocked_reason}).")
    if reply.truncated:
        return unreadable(reply, "The judge's reply is longer than is read.")
    return None


def unreadable(reply: Reply, reason: str) -> Judgement:
    """No verdict to be had from what the judge model said; its words are kept for a person."""
    raw = (reply.text or reply.refusal or "")[:MAX_RAW]
    return Judgement(Verdict.UNKNOWN, reason, raw=raw, usage=reply.usage)
