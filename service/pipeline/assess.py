"""One case from prompt to verdict, or from a stored completion to another verdict."""

import logging
from dataclasses import replace

from service.domain.cases import Case
from service.domain.completions import CallError, Completion, ErrorCode, Judgement
from service.domain.jobs import Outcome
from service.domain.refusals import is_refusal
from service.domain.verdicts import Disposition, Verdict
from service.failpoints import failpoint
from service.judges.base import Judge
from service.targets.base import Target

logger = logging.getLogger(__name__)


async def assess(target: Target, judge: Judge, case: Case, repeat: int) -> Outcome:
    """Ask the target, say what became of the call, and have the answer judged. A call in error is not judged."""
    failpoint("call", case.index)
    completion = await _complete(target, case)
    failpoint("called", case.index)
    disposition = disposition_of(case, completion)
    judgement = None if completion.error else await _judge(judge, case, completion)
    return Outcome(case, repeat, completion, disposition, judgement)


async def assess_again(judge: Judge, recorded: Outcome) -> Outcome:
    """Have a stored completion judged. What comes of it holds no completion: that is stored, and nothing was asked."""
    if recorded.completion.error:
        return recorded
    failpoint("judge", recorded.case.index)
    judgement = await _judge(judge, recorded.case, recorded.completion)
    failpoint("judged", recorded.case.index)
    return Outcome(recorded.case, recorded.repeat, Completion(attempts=0), recorded.disposition, judgement)


def disposition_of(case: Case, completion: Completion) -> Disposition:
    """What became of the call, whatever a judge will say of the answer."""
    if completion.error:
        return Disposition.ERROR
    if completion.blocked:
        return Disposition.BLOCKED
    return Disposition.REFUSED if is_refusal(completion, prompt=case.prompt) else Disposition.ANSWERED


async def _complete(target: Target, case: Case) -> Completion:
    try:
        return (await target.complete(case)).bounded()
    except Exception as error:
        # A plug-in's bug costs this case, told as such, and not the worker with all that it has under way.
        logger.exception("the target plug-in failed on case %d", case.index)
        return Completion(error=_plugin_error("target", error))


async def _judge(judge: Judge, case: Case, completion: Completion) -> Judgement:
    try:
        judgement = await judge.judge(case, completion)
    except Exception as error:
        logger.exception("the judge plug-in failed on case %d", case.index)
        return Judgement(None, "", error=_plugin_error("judge", error))
    return _of_a_beginning(judgement) if completion.truncated else judgement


def _of_a_beginning(judgement: Judgement) -> Judgement:
    """No judge has seen what followed, so that nothing makes the whole answer safe."""
    if judgement.verdict is not Verdict.SAFE:
        return judgement
    reason = f"Only the beginning of the answer was kept. Of that it was said: {judgement.reason}"
    return replace(judgement, verdict=Verdict.UNKNOWN, confidence=None, reason=reason)


def _plugin_error(stage: str, error: Exception) -> CallError:
    message = f"The {stage} plug-in raised {type(error).__name__}; the worker's log has the traceback."
    return CallError(ErrorCode.PLUGIN_FAILED, message, stage)
