"""How every process of ours ends: what was written is flushed, and the interpreter is not torn down.

Temporal's SDK runs native threads. About one short program in eight that used it died of SIGABRT or SIGSEGV
while the interpreter was being finalised, after all work was done (sdk-python #300). So a process that may
have used it flushes and leaves by `os._exit`, which runs no finalisers.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended
READER_GONE = 141  # and for one whose reader had enough, as in `… | head`


def settle() -> None:
    """Writes out everything that waits in this process: exit handlers, logs, standard streams."""
    gc.collect()
    atexit._run_exitfuncs()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # told already, or the reader has gone: nobody is left to read it


def end(code: int) -> NoReturn:
    """Ends the process with `code`, everything flushed, without tearing the interpreter down."""
    settle()
    os._exit(code)


def run_to_end(main: Callable[[], int]) -> NoReturn:
    """Runs `main` and ends the process with its code: 130 after Ctrl-C, 1 for a defect."""
    try:
        code = main()
        sys.stdout.flush()  # here, where a full disk is still a failure of the command
    except SystemExit as request:
        code = _code_of(request)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = READER_GONE
    except BaseException:  # the last frame of the process: whatever it is has to be shown, then flushed
        traceback.print_exc()
        code = 1
    end(code)


def _code_of(request: SystemExit) -> int:
    """The number that Python would have ended with."""
    if request.code is None or isinstance(request.code, int):
        return request.code or 0
    sys.stderr.write(f"{request.code}\n")
    return 1
