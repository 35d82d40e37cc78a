# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a PostgreSQL of the tests' own: in a temporary folder, on a Unix socket, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

FOLDERS = "/usr/lib/postgresql/*/bin"
"""Where Debian has the programs, by version."""
QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "16MB"}
PASSWORD = "guarded-7"
HBA = "local all guarded scram-sha-256\nlocal all all trust\n"
"""The user ``guarded`` has to give a password; nobody else has to."""


def programs() -> Path | None:
    """Return the folder of initdb and postgres, the newest if there are several; None if there is none."""
    found = [path for path in sorted(Path("/").glob(FOLDERS.lstrip("/"))) if (path / "initdb").exists()]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    named = shutil.which("initdb")
    return Path(named).resolve().parent if named else None


def _drop_root() -> list[str]:
    """Return the words that run a command as a user who is not root, and that end it when its parent dies."""
    words = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        words += ["--reuid", user(), "--regid", str(pwd.getpwnam(user()).pw_gid), "--clear-groups"]
    return [*words, "--"]


def user() -> str:
    """Return who the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


class Cluster:
    """A server with its data; the superuser is ``stage0``."""

    def __init__(self) -> None:
        found = programs()
        assert found is not None, "no PostgreSQL here; run: make apt"
        self.programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="stage0-pg-", dir="/tmp"))  # a socket's path may have 107 bytes
        self.data = self.folder / "data"
        self.process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, user())
        # An order of names that is not that of code points: what relies on the server's order shows.
        order = ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
        self._run("initdb", f"--pgdata={self.data}", "--auth=trust", "--username=stage0", "--no-sync", *order)
        (self.data / "pg_hba.conf").write_text(HBA)
        self.start()
        self.sql(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*_drop_root(), str(self.programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, **settings: Any) -> None:
        """Start the server and wait until it answers. ``settings``: of postgresql.conf, beside those that make it quick."""
        chosen = {**QUICK, "listen_addresses": "", "unix_socket_directories": str(self.folder), **settings}
        words = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
        command = [*_drop_root(), str(self.programs / "postgres"), "-D", str(self.data), *words]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        deadline = time.monotonic() + 60
        while True:
            try:
                self.sql("SELECT 1")
                return
            except psycopg.OperationalError:
                given_up = self.process.poll() is not None or time.monotonic() > deadline
                assert not given_up, (self.folder / "log").read_text()
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT breaks connections off, SIGQUIT is a crash."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def remove(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, who: str = "stage0") -> str:
        """Return the URL of a database for ``who``, which may be USER:PASSWORD."""
        return f"postgresql://{who}@/{database}?host={self.folder}"

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the superuser, outside a transaction."""
        with psycopg.connect(
            host=str(self.folder), user="stage0", dbname=database, autocommit=True, connect_timeout=5
        ) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def empty(self, database: str) -> str:
        """Make ``database``, or remove all that is in it; returns its URL."""
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{database}'"):
            self.sql(f"CREATE DATABASE {database}")
        elif self.sql("SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1", database):
            self.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
            )
            self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public", database)
        return self.url(database)
