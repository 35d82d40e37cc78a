# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: third-party libraries, imported at first use.

A management node that lacks a library gets one sentence that says which and how to install it, not a
traceback; and every file of the collection can be imported (by ansible-test, ansible-doc) without them.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from .errors import ErrorCode, MetalError

DISTRIBUTIONS = {
    "sqlalchemy": "SQLAlchemy",
    "cryptography": "cryptography",
    "psycopg": "psycopg[binary]",
    "pyghmi": "pyghmi",
    "aiohttp": "aiohttp",
    "jinja2": "Jinja2",
    "netaddr": "netaddr",
    "yaml": "PyYAML",
    "regex": "regex",
}
"""Import name of a library to the name by which pip knows it."""


class LazyModule:
    """A module that is imported when the first of its attributes is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._module: ModuleType | None = None

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if self._module is None:
            self._module = _load(self._name)
        return getattr(self._module, attribute)


def _load(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as exc:
        package = name.partition(".")[0]
        raise MetalError(
            ErrorCode.LIBRARY,
            f"the Python library {DISTRIBUTIONS.get(package, package)} cannot be imported here ({' '.join(str(exc).split())}); "
            "install the collection's requirements (meta/ee-requirements.txt) into the Python that runs Ansible",
        ) from exc


def require(name: str) -> None:
    """Import the module ``name`` for a library that would do so itself, with less to say if it is missing.

    Raises: MetalError with code ``library``.
    """
    _load(name)


def lazy(name: str) -> Any:
    """Return a stand-in for the module ``name`` that imports it at first use.

    Raises (at first use): MetalError with code ``library`` if it cannot be imported.
    """
    return LazyModule(name)
