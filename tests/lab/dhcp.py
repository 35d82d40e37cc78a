# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""dnsmasq as a site runs it: one configuration file, which our module writes, and a command that restarts it."""

from __future__ import annotations

from pathlib import Path

TFTP_ROOT = Path("/usr/lib/ipxe")
EXTRA_LINES = (
    "log-dhcp",
    # Without a router advertisement iPXE of 2019 waits 12 s for one at every boot.
    "enable-ra",
    "dhcp-range=fd99::,ra-only,64,1h",
    "ra-param=br0,5,1800",
)
"""What this site wants in the file beside what the module knows."""
RESTART = """\
if [ -s {pid_file} ]; then
  old=$(cat {pid_file})
  kill "$old"
  while kill -0 "$old" 2>/dev/null; do sleep 0.05; done
fi
exec dnsmasq --user=root --conf-file={config} --pid-file={pid_file} --dhcp-leasefile={directory}/leases \\
  --log-facility={log}
"""


class DhcpServer:
    """The files of a dnsmasq that the module configures (``config``) and starts by ``restart_command``."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.config = directory / "stage0.conf"
        self.log = directory / "dnsmasq.log"
        script = directory / "restart"
        script.write_text(
            RESTART.format(config=self.config, pid_file=directory / "dnsmasq.pid", directory=directory, log=self.log)
        )
        self.restart_command = ["sh", str(script)]

    def starts(self) -> int:
        """How often dnsmasq was started."""
        return self.log.read_text().count(": started, version ") if self.log.exists() else 0
