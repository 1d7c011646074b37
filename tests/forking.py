"""Children that are forked, as tests need them."""

import os
import time
import warnings
from collections.abc import Callable

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def in_child(answer: Callable[[], int]) -> int:
    """Fork, and return what the child answers; a child that hangs is killed, and answers -9."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python and JAX warn of what is tested here
        child = os.fork()
    if child == 0:
        try:
            code = answer()
        except BaseException:
            code = 99
        os._exit(code)
    for _ in range(600):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, 9)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
