"""How a working horse learns that it should stop."""

import os
import signal
from types import FrameType


class Stopping:
    """Called, it says whether this process should stop: it was told to by SIGTERM, or its parent is gone."""

    _requested = False
    _parent = 0

    def watch(self) -> None:
        """Begin watching in this process, just forked. SIGINT (Ctrl-C, meant for the parent) is ignored."""
        self._requested, self._parent = False, os.getppid()
        signal.signal(signal.SIGTERM, self._request)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def __call__(self) -> bool:
        """Whether to stop."""
        return self._requested or os.getppid() != self._parent

    def _request(self, _signal: int, _frame: FrameType | None) -> None:
        self._requested = True


stopping = Stopping()
