# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: secrets at rest, by Fernet of the library cryptography.

Keys come from the environment (STAGE0_SECRET_KEY) or from the file secret.key in STAGE0_HOME, mode 0600, one key a
line: the first encrypts, all decrypt, so that a new key is put in front and the old stays until all is rewritten.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .backends import hand_over
from .database import home
from .errors import ErrorCode, MetalError
from .libraries import lazy

if TYPE_CHECKING:
    from cryptography import fernet
else:
    fernet = lazy("cryptography.fernet")

KEY_FILE = "secret.key"
VARIABLE = "STAGE0_SECRET_KEY"
PREFIX = "fernet:"


class Keyring:
    """Encrypts and decrypts secrets; the key is read, or made, when the first secret is."""

    def __init__(self, path: Path | None = None, *, keep: bool = True) -> None:
        """``path``: the key file. ``keep``: whether a key that has to be made is kept; not so in check mode."""
        self.path = path or home() / KEY_FILE
        self._keep = keep
        self._cipher: fernet.MultiFernet | None = None

    def encrypt(self, text: str) -> str:
        """Return ``text`` encrypted, as ASCII."""
        return PREFIX + self._open(make=True).encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """Return the text of which ``stored`` is the encrypted form.

        Raises: MetalError ``database`` if no key of the ring fits.
        """
        try:
            return self._open(make=False).decrypt(stored.removeprefix(PREFIX).encode()).decode()
        except fernet.InvalidToken as exc:
            raise MetalError(
                ErrorCode.DATABASE,
                f"a secret in the node database cannot be decrypted with the keys of {self._place()}",
            ) from exc

    def _place(self) -> str:
        """Where the keys come from, for people."""
        return VARIABLE if os.environ.get(VARIABLE) else str(self.path)

    def _open(self, *, make: bool) -> fernet.MultiFernet:
        if self._cipher is None:
            try:
                keys = os.environ.get(VARIABLE) or self._read(make=make)
                self._cipher = fernet.MultiFernet([fernet.Fernet(key) for key in keys.split()])
            except ValueError as exc:
                raise MetalError(ErrorCode.DATABASE, f"a key in {self._place()} is not a Fernet key") from exc
            except OSError as exc:
                raise MetalError(
                    ErrorCode.DATABASE, f"the key file {self.path} cannot be read or made: {exc.strerror}"
                ) from exc
        return self._cipher

    def _read(self, *, make: bool) -> str:
        if not self.path.exists():
            if not make:
                raise MetalError(
                    ErrorCode.DATABASE,
                    f"the key file {self.path} is missing, so no secret can be read; bring it back or set {VARIABLE}",
                )
            if not self._keep:
                return fernet.Fernet.generate_key().decode()
            self._make()
        if self.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise MetalError(
                ErrorCode.DATABASE, f"the key file {self.path} can be read by others; run: chmod 600 {self.path}"
            )
        return self.path.read_text(encoding="ascii")

    def _make(self) -> None:
        """Make the key file, or take that of whoever was faster."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        with tempfile.NamedTemporaryFile(dir=self.path.parent, prefix=f".{self.path.name}.") as file:  # mode 0600
            file.write(fernet.Fernet.generate_key() + b"\n")
            file.flush()
            with suppress(FileExistsError):  # which a rename would overwrite
                hand_over(Path(file.name))
                os.link(file.name, self.path)
