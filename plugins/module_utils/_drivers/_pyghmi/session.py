# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: one pyghmi session in one process of one thread, bounded in time and always closed.

What pyghmi 1.6 does not do by itself, and why it is done here:

* Its waiting thread loses wake-ups when an answer is faster than a thread switch, so that a call sleeps its whole
  retry timer (0.5-1 s), and it deadlocks on retransmission with several threads. The worker has one thread, and
  ``wait_in_this_thread`` makes pyghmi read its sockets in it. If a later pyghmi has no such place any more, pyghmi's
  own way is left as it is: slower, and right.
* Nothing bounds a dead or half-dead BMC: SIGALRM does, and the process ends after it, as pyghmi's state is unknown.
* A session that logged out stays in its table of beginning sessions and is handed out, dead, when the same BMC is
  asked again: ``_within_session`` clears the table.
* Nothing logs out: the session is closed in ``finally``, since a BMC has 4 to 16 slots and keeps each for a minute.
"""

from __future__ import annotations

import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ..._nodes.errors import ErrorCode, MetalError
from ..._nodes.libraries import lazy
from .._ipmi.login import Level, account
from ..base import Target
from .oem import VERBS

if TYPE_CHECKING:
    from pyghmi import exceptions as pyghmi_exceptions
    from pyghmi.ipmi import command as pyghmi_command
    from pyghmi.ipmi.private import session as pyghmi_session
else:
    pyghmi_exceptions = lazy("pyghmi.exceptions")
    pyghmi_command = lazy("pyghmi.ipmi.command")
    pyghmi_session = lazy("pyghmi.ipmi.private.session")

LOGOUT_SECONDS = 2.0
"""How long the close of a session may take after its time was up."""

NO_PRIVILEGE = (
    "the BMC gives user {user!r} no sufficient privilege level; it needs ADMINISTRATOR, or OPERATOR if the BMC lets pyghmi"
    " go down to that"
)
"""pyghmi asks for ADMINISTRATOR, and for OPERATOR where that is refused by some of the ways of doing so."""

PHRASES: tuple[tuple[str, ErrorCode, str], ...] = (
    ("password is too long", ErrorCode.INVALID, "the BMC takes no password of more than 16 bytes; see bmc.password"),
    ("password", ErrorCode.AUTH, "the BMC refuses the password of user {user!r}; see bmc.user and bmc.password"),
    ("unauthorized name", ErrorCode.AUTH, "the BMC has no user {user!r}, or does not let it in; see bmc.user"),
    ("invalid user name", ErrorCode.AUTH, "the BMC has no user {user!r}, or does not let it in; see bmc.user"),
    ("wrong kg", ErrorCode.AUTH, "the BMC has another key of its own (K_g) than bmc.kg says"),
    ("integrity check", ErrorCode.AUTH, "the BMC refuses the password of user {user!r}; see bmc.user and bmc.password"),
    ("privilege", ErrorCode.PRIVILEGE, NO_PRIVILEGE),
    ("insufficient resources", ErrorCode.BUSY, "the BMC has no free session slot; others are connected to it"),
    ("login slots", ErrorCode.BUSY, "the BMC has no free session slot; others are connected to it"),
    ("cipher suite", ErrorCode.CIPHER, "the BMC accepts neither cipher suite 17 nor 3; enable one of them"),
    ("algorithm", ErrorCode.CIPHER, "the BMC accepts neither cipher suite 17 nor 3; enable one of them"),
    ("integrity payload", ErrorCode.CIPHER, "the BMC accepts neither cipher suite 17 nor 3; enable one of them"),
    ("username length", ErrorCode.INVALID, "the user name {user!r} is longer than IPMI's 16 characters; see bmc.user"),
    ("too long", ErrorCode.INVALID, "the user name {user!r} is longer than IPMI's 16 characters; see bmc.user"),
    ("no longer connected", ErrorCode.TIMEOUT, "the BMC at {place} stopped answering in mid-session"),
    ("disconnected", ErrorCode.TIMEOUT, "the BMC at {place} stopped answering in mid-session"),
    ("invalid role", ErrorCode.PRIVILEGE, NO_PRIVILEGE),
    # a suffix of other errors, so it comes last; pyghmi spells the next word in its own way
    ("while requesting priv", ErrorCode.PRIVILEGE, NO_PRIVILEGE),
)
"""What pyghmi says, in lower case, to what it means. First match wins."""

NO_ANSWER = "no answer from the BMC at {place}; is it cabled and powered, and is IPMI over LAN enabled on it?"


class TimeLimit(BaseException):
    """The alarm went off. Not an Exception: pyghmi swallows those in places."""


def run(verb: str, target: Target, arguments: tuple[Any, ...], seconds: float) -> tuple[Any, MetalError | None, bool]:
    """Log in, run ``verb``, log out. Returns (result, None, True), or (None, error, whether pyghmi is still fit for use)."""
    try:
        with _alarm(seconds):
            return _within_session(verb, target, arguments), None, True
    except TimeLimit:
        return (
            None,
            MetalError(ErrorCode.TIMEOUT, f"no answer from the BMC at {target.place} within {seconds:.0f} s"),
            False,
        )
    except MetalError as exc:
        return None, exc, True
    except Exception as exc:  # whatever pyghmi raises concerns this one BMC and must not end the worker
        return None, _translated(exc, target), True


def _within_session(verb: str, target: Target, arguments: tuple[Any, ...]) -> Any:
    bmc = None
    pyghmi_session.Session.initting_sessions.clear()
    try:
        bmc = _login(target)
        return VERBS[verb](bmc, *arguments)
    finally:
        if bmc is not None:
            with _alarm(LOGOUT_SECONDS), suppress(Exception, TimeLimit):
                session: Any = bmc.ipmi_session
                session.logout()


def _login(target: Target) -> Any:
    key = account(target.user, target.password, target.kg, Level.OPERATOR, target.suite).kg or None
    who: dict[str, Any] = {"userid": target.user, "password": target.password, "kg": key}
    try:
        return pyghmi_command.Command(bmc=target.address, port=target.port, keepalive=False, **who)
    except socket.gaierror as exc:
        raise MetalError(
            ErrorCode.UNREACHABLE, f"the BMC's name {target.address!r} has no address: {exc.strerror}"
        ) from exc
    except OSError as exc:  # later than here it would not be sure that nothing was sent
        raise MetalError(
            ErrorCode.UNREACHABLE, f"the BMC at {target.place} cannot be reached from here: {exc.strerror}"
        ) from exc


def _translated(exc: Exception, target: Target) -> MetalError:
    text = str(exc)
    if isinstance(exc, pyghmi_exceptions.IpmiException) and text in (
        "",
        "None",
        "timeout",
        "Session failed to initialize",
    ):
        return MetalError(ErrorCode.UNREACHABLE, NO_ANSWER.format(place=target.place))
    for phrase, code, meaning in PHRASES:
        if phrase in text.lower():
            return MetalError(code, meaning.format(user=target.user, place=target.place))
    return MetalError(
        ErrorCode.PROTOCOL, f"the BMC at {target.place} does not keep to the protocol: {type(exc).__name__}: {text}"
    )


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(_number: int, _frame: Any) -> None:
        raise TimeLimit

    previous = signal.signal(signal.SIGALRM, ring)
    remaining, _interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, remaining)
        signal.signal(signal.SIGALRM, previous)


def wait_in_this_thread() -> None:
    """Make pyghmi wait for packets in the calling thread, without its own I/O thread."""
    session = pyghmi_session
    if not all(
        hasattr(session, name) for name in ("_io_wait", "_io_graball", "iosockets", "iothread", "iothreadready")
    ):
        return

    def wait(timeout: float, _address: Any = None, _events: Any = None) -> None:
        select.select(session.iosockets, (), (), max(timeout, 0))
        session._io_graball(session.iosockets, {})

    module: Any = sys.modules["pyghmi.ipmi.private.session"]
    module._io_wait = wait
    module.iothread = module.iothreadready = True
