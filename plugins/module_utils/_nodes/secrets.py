# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: secrets at rest, by Fernet of the library cryptography.

Keys come from the environment (STAGE0_SECRET_KEY) or from the file secret.key in STAGE0_HOME, mode 0600, one key a
line: the first encrypts, all decrypt, so that a new key is put in front and the old stays until all is rewritten.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .backend import hand_over, settle_folder
from .database import home
from .errors import ErrorCode, MetalError
from .libraries import lazy
from .schema import ENCRYPTED

if TYPE_CHECKING:
    from cryptography import fernet
else:
    fernet = lazy("cryptography.fernet")

KEY_FILE = "secret.key"
VARIABLE = "STAGE0_SECRET_KEY"


class Keyring:
    """Encrypts and decrypts secrets; the keys are read, or made, when the first secret is, and again if their file changes."""

    def __init__(self, path: Path | None = None, *, keep: bool = True) -> None:
        """``path``: the key file. ``keep``: whether a key that has to be made is kept; not so in check mode."""
        self.path = path or home() / KEY_FILE
        self._keep = keep
        self._keys: list[str] = []
        self._ciphers: list[fernet.Fernet] = []
        self._earlier: dict[str, fernet.Fernet] = {}
        """Keys that stood in the file before: who reads sees the database as it was before their removal."""
        self._seen: tuple[int, ...] | None = None

    @property
    def place(self) -> str:
        """Where the keys come from, for people."""
        return VARIABLE if self.from_environment else str(self.path)

    @property
    def from_environment(self) -> bool:
        """Whether the keys are given by STAGE0_SECRET_KEY, so that there is no file."""
        return bool(os.environ.get(VARIABLE))

    def encrypt(self, text: str, stored: Callable[[], bool] = lambda: False) -> str:
        """Return ``text`` encrypted by the first key, as ASCII. Call it inside the transaction that stores it: see rotation.py.

        ``stored``: whether there are secrets already. A missing key file is then lost or elsewhere, and no new one is made.
        Raises: MetalError ``database`` in that case, and if the keys cannot be read.
        """
        make = bool(self._ciphers) or self.from_environment or self.path.exists() or not stored()
        return ENCRYPTED + self._open(make=make)[0].encrypt(text.encode()).decode()

    def decrypt(self, stored: str, what: str = "a secret in the node database") -> str:
        """Return the text of which ``stored``, in words ``what``, is the encrypted form.

        Raises: MetalError ``database`` if no key of the ring fits.
        """
        token = stored.removeprefix(ENCRYPTED).encode()
        for cipher in (*self._open(make=False), *self._earlier.values()):
            with suppress(fernet.InvalidToken):
                return cipher.decrypt(token).decode()
        raise MetalError(ErrorCode.DATABASE, f"{what} cannot be decrypted with the keys of {self.place}")

    def fits(self, stored: str) -> bool:
        """Whether a key of the ring decrypts ``stored``. Raises: MetalError ``database`` if the keys cannot be read."""
        token = stored.removeprefix(ENCRYPTED).encode()
        for cipher in self._open(make=False):
            with suppress(fernet.InvalidToken):
                cipher.decrypt(token)
                return True
        return False

    def renewed(self, stored: str) -> str:
        """Return the secret encrypted by the first key: ``stored`` itself if it is so already. Raises: as decrypt()."""
        with suppress(fernet.InvalidToken):
            self._open(make=False)[0].decrypt(stored.removeprefix(ENCRYPTED).encode())
            return stored
        return self.encrypt(self.decrypt(stored))

    def fingerprints(self) -> list[str]:
        """Return what names the keys without telling them, in their order; [] if there is none yet.

        Raises: MetalError ``database`` if they cannot be read.
        """
        if not self.from_environment and not self._keys and not self.path.exists():
            return []
        self._open(make=False)
        return [hashlib.sha256(b"stage0.metal key " + key.encode()).hexdigest()[:12] for key in self._keys]

    def age(self) -> float | None:
        """Seconds since the key file was written, which is when its first key was made; None without a file."""
        if self.from_environment or not self.path.exists():
            return None
        return time.time() - self.path.stat().st_mtime

    def add(self) -> None:
        """Put a new key in front of the file's, or make the file. Raises: MetalError ``database``."""
        self._write([fernet.Fernet.generate_key().decode(), *(self._keys if self.fingerprints() else [])])

    def keep_first(self) -> None:
        """Remove all keys but the first from the file. Raises: MetalError ``database``."""
        if len(self.fingerprints()) > 1:
            self._write(self._keys[:1])

    def _open(self, *, make: bool) -> list[fernet.Fernet]:
        """Return the ciphers, the first key's first; read again if another process has written the file."""
        seen = self._state()
        if not self._ciphers or (seen is not None and seen != self._seen):
            try:
                keys = (os.environ.get(VARIABLE) or self._read(make=make)).split()
                ciphers = [fernet.Fernet(key) for key in keys]
                self._earlier.update(zip(self._keys, self._ciphers, strict=True))
                self._keys, self._ciphers = keys, ciphers
                self._seen = seen
            except ValueError as exc:
                raise MetalError(ErrorCode.DATABASE, f"a key in {self.place} is not a Fernet key") from exc
            except OSError as exc:
                raise self._unusable(exc) from exc
            if not self._ciphers:
                raise MetalError(ErrorCode.DATABASE, f"a key in {self.place} is not a Fernet key")
        return self._ciphers

    def _state(self) -> tuple[int, ...] | None:
        """What differs when the key file is another one; None if there is none."""
        if self.from_environment:
            return None
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _unusable(self, exc: OSError) -> MetalError:
        return MetalError(ErrorCode.DATABASE, f"the key file {self.path} cannot be read or made: {exc.strerror}")

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
            os.fsync(file.fileno())
            with suppress(FileExistsError):  # which a rename would overwrite
                hand_over(Path(file.name))
                os.link(file.name, self.path)

    def _write(self, keys: list[str]) -> None:
        """Replace the key file in one step, for the same owner, or keep the keys in memory only (check mode)."""
        if self._keep:
            if not self.path.exists():
                self._open(make=True)
                return
            try:
                self._replace("".join(f"{key}\n" for key in keys))
            except OSError as exc:
                raise self._unusable(exc) from exc
        self._keys, self._ciphers = keys, [fernet.Fernet(key) for key in keys]
        self._seen = self._state()

    def _replace(self, text: str) -> None:
        target = self.path.resolve()
        owner = target.stat()
        if os.geteuid() not in (0, owner.st_uid):
            raise MetalError(
                ErrorCode.DATABASE,
                f"the key file {self.path} belongs to the user with number {owner.st_uid}; rotate keys as that user or as root",
            )
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if os.geteuid() == 0:
                os.chown(name, owner.st_uid, owner.st_gid)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        settle_folder(target.parent)
