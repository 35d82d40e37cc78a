# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One pyghmi session: its errors in our words, its time, and that it is always closed."""

from __future__ import annotations

import signal
import socket
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._pyghmi import oem, session
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Target
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from pyghmi.exceptions import IpmiException
from pyghmi.ipmi.private.constants import rmcp_codes

TARGET = Target("10.2.1.1", 623, "admin", "pass-word-1")
SILENT = "no answer from the BMC at 10.2.1.1:623; is it cabled and powered, and is IPMI over LAN enabled on it?"
NO_PASSWORD = "the BMC refuses the password of user 'admin'; see bmc.user and bmc.password"
NO_USER = "the BMC has no user 'admin', or does not let it in; see bmc.user"
NO_PRIVILEGE = (
    "the BMC gives user 'admin' no sufficient privilege level; it needs ADMINISTRATOR, or OPERATOR if the BMC lets pyghmi"
    " go down to that"
)
NO_SLOT = "the BMC has no free session slot; others are connected to it"
NO_SUITE = "the BMC accepts neither cipher suite 17 nor 3; enable one of them"
BROKEN = "the BMC at 10.2.1.1:623 does not keep to the protocol: IpmiException:"
LENGTH = "the user name 'admin' is longer than IPMI's 16 characters; see bmc.user"

SAID = [
    ("", ErrorCode.UNREACHABLE, SILENT),
    ("None", ErrorCode.UNREACHABLE, SILENT),
    ("timeout", ErrorCode.UNREACHABLE, SILENT),
    ("Session failed to initialize", ErrorCode.UNREACHABLE, SILENT),
    (
        "Invalid RAKP4 integrity code (wrong Kg?)",
        ErrorCode.AUTH,
        "the BMC has another key of its own (K_g) than bmc.kg says",
    ),
    ("Incorrect password provided", ErrorCode.AUTH, NO_PASSWORD),
    (
        "Password is too long for ipmi 1.5",
        ErrorCode.INVALID,
        "the BMC takes no password of more than 16 bytes; see bmc.password",
    ),
    ("The controller says no", ErrorCode.PROTOCOL, f"{BROKEN} The controller says no"),
    (f"{rmcp_codes[0x0F]} in RAKP4", ErrorCode.AUTH, NO_PASSWORD),
    (f"{rmcp_codes[0x0D]} in RAKP2", ErrorCode.AUTH, NO_USER),
    ("Invalid user name while getting session challenge", ErrorCode.AUTH, NO_USER),
    (f"{rmcp_codes[0x09]} in RAKP2", ErrorCode.PRIVILEGE, NO_PRIVILEGE),
    (f"{rmcp_codes[0x0A]} in RAKP2", ErrorCode.PRIVILEGE, NO_PRIVILEGE),
    ("Requested level not available while requesting priv… level 3 for admin", ErrorCode.PRIVILEGE, NO_PRIVILEGE),
    (rmcp_codes[0x01], ErrorCode.BUSY, NO_SLOT),
    (rmcp_codes[0x0B], ErrorCode.BUSY, NO_SLOT),
    ("No login slots available", ErrorCode.BUSY, NO_SLOT),
    (rmcp_codes[0x04], ErrorCode.CIPHER, NO_SUITE),
    (rmcp_codes[0x05], ErrorCode.CIPHER, NO_SUITE),
    (rmcp_codes[0x10], ErrorCode.CIPHER, NO_SUITE),
    (rmcp_codes[0x11], ErrorCode.CIPHER, NO_SUITE),
    (f"{rmcp_codes[0x0C]} in RAKP2", ErrorCode.INVALID, LENGTH),
    ("Session no longer connected", ErrorCode.TIMEOUT, "the BMC at 10.2.1.1:623 stopped answering in mid-session"),
    ("Session Disconnected", ErrorCode.TIMEOUT, "the BMC at 10.2.1.1:623 stopped answering in mid-session"),
    ("Something new", ErrorCode.PROTOCOL, f"{BROKEN} Something new"),
]


class Pyghmi:
    """Stands in for pyghmi's Command; ``login`` and ``logout`` do what a test wants."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: dict[str, Any] = {}
        self.login: Any = lambda: None
        self.logout: Any = lambda: None
        self.closed = 0
        monkeypatch.setattr(session, "pyghmi_command", SimpleNamespace(Command=self._command))
        monkeypatch.setattr(session, "LOGOUT_SECONDS", 0.2)

    def _command(self, **given: Any) -> Any:
        self.given = given
        self.login()
        return SimpleNamespace(ipmi_session=SimpleNamespace(raw_command="raw", logout=self._logout))

    def _logout(self) -> None:
        self.closed += 1
        self.logout()


@pytest.fixture
def pyghmi(monkeypatch: pytest.MonkeyPatch) -> Pyghmi:
    return Pyghmi(monkeypatch)


def raising(error: BaseException) -> Any:
    def fail(*_arguments: Any) -> None:
        raise error

    return fail


def run(verb: str = "echo", *arguments: Any, seconds: float = 5.0) -> tuple[Any, MetalError | None, bool]:
    return session.run(verb, TARGET, arguments, seconds)


@pytest.fixture(autouse=True)
def verbs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(oem.VERBS, "echo", lambda bmc, *words: (bmc.ipmi_session.raw_command, *words))
    monkeypatch.setitem(oem.VERBS, "sleep", lambda _bmc: time.sleep(60))
    monkeypatch.setitem(oem.VERBS, "refuse", raising(MetalError(ErrorCode.BUSY, "busy")))


def test_log_in_work_and_log_out(pyghmi: Pyghmi) -> None:
    assert run("echo", 1, 2) == (("raw", 1, 2), None, True)
    expected = {"bmc": "10.2.1.1", "userid": "admin", "password": "pass-word-1", "port": 623, "keepalive": False}
    assert (pyghmi.given, pyghmi.closed) == ({**expected, "kg": None}, 1)


def test_the_bmcs_own_key(pyghmi: Pyghmi) -> None:
    for text, key in (("key", b"key".ljust(20, b"\0")), ("0x01ff", b"\x01\xff".ljust(20, b"\0")), ("0x0000", None)):
        target = replace(TARGET, kg=text)
        assert session.run("echo", target, (), 5.0)[1:] == (None, True)
        assert pyghmi.given["kg"] == key
    error = session.run("echo", replace(TARGET, kg="0xkg"), (), 5.0)[1]
    assert error
    assert (error.code, error.message) == (ErrorCode.INVALID, "bmc.kg begins with 0x, but is not hexadecimal")


@pytest.mark.parametrize(("said", "code", "means"), SAID)
def test_what_pyghmi_says_and_what_it_means(pyghmi: Pyghmi, said: str, code: ErrorCode, means: str) -> None:
    pyghmi.login = raising(IpmiException(said))
    result, error, fit = run()
    assert (result, fit) == (None, True)
    assert error
    assert (error.code, error.message) == (code, means)
    assert "pass-word-1" not in str(error)


def test_other_errors(pyghmi: Pyghmi) -> None:
    pyghmi.login = raising(socket.gaierror(-2, "Name or service not known"))
    error = run()[1]
    assert error
    assert (error.code, error.message) == (
        ErrorCode.UNREACHABLE,
        "the BMC's name '10.2.1.1' has no address: Name or service not known",
    )
    pyghmi.login = raising(KeyError("x"))
    error = run()[1]
    assert error
    assert error.code is ErrorCode.PROTOCOL
    pyghmi.login = raising(OSError(101, "Network is unreachable"))
    error = run()[1]
    assert error
    assert (error.code, error.message) == (
        ErrorCode.UNREACHABLE,
        "the BMC at 10.2.1.1:623 cannot be reached from here: Network is unreachable",
    )


def test_an_error_of_the_verb_closes_the_session(pyghmi: Pyghmi) -> None:
    result, error, fit = run("refuse")
    assert error
    assert (result, error.code, fit, pyghmi.closed) == (None, ErrorCode.BUSY, True, 1)


def test_a_verb_that_hangs_is_ended_and_the_session_closed(pyghmi: Pyghmi) -> None:
    result, error, fit = run("sleep", seconds=0.1)
    assert error
    assert (result, error.code, fit, pyghmi.closed) == (None, ErrorCode.TIMEOUT, False, 1)
    assert error.message == "no answer from the BMC at 10.2.1.1:623 within 0 s"


def test_a_login_that_hangs_is_ended(pyghmi: Pyghmi) -> None:
    pyghmi.login = lambda: time.sleep(60)
    assert run(seconds=0.1)[2] is False


@pytest.mark.parametrize("what", [raising(IpmiException("no")), lambda: time.sleep(60)])
def test_a_logout_that_fails_or_hangs_costs_nothing(pyghmi: Pyghmi, what: Any) -> None:
    pyghmi.logout = what
    assert run("echo") == (("raw",), None, True)


def test_the_alarm_is_as_it_was_afterwards(pyghmi: Pyghmi) -> None:
    before = signal.getsignal(signal.SIGALRM)
    run("echo")
    run("sleep", seconds=0.05)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_addresses_of_ipv6_are_told_in_brackets() -> None:
    assert Target("fd00::1", 623, "u", "p").place == "[fd00::1]:623"
