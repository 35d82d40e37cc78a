# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""dnsmasq as a site would have it: a main file of its own that reads a directory, into which our module writes."""

from __future__ import annotations

import shutil
from pathlib import Path

from .namespace import Namespace, wait_until

TFTP_ROOT = Path("/usr/lib/ipxe")
MAIN_CONFIG = """\
port=0
interface=br0
bind-interfaces
except-interface=lo
log-dhcp
log-facility={directory}/dnsmasq.log
pid-file={directory}/dnsmasq.pid
dhcp-leasefile={directory}/leases
conf-dir={directory}/dnsmasq.d,*.conf
# Without a router advertisement iPXE of 2019 waits 12 s for one at every boot.
enable-ra
dhcp-range=fd99::,ra-only,64,1h
ra-param=br0,5,1800
"""


class DhcpServer:
    """dnsmasq in ``namespace``: give its ``main_config`` and ``config_directory`` to the module, then start it."""

    def __init__(self, directory: Path, namespace: Namespace) -> None:
        self.main_config = directory / "dnsmasq.conf"
        self.config_directory = directory / "dnsmasq.d"
        self.log = directory / "dnsmasq.log"
        self.pid_file = directory / "dnsmasq.pid"
        self._namespace = namespace
        self.config_directory.mkdir(parents=True)
        self.main_config.write_text(MAIN_CONFIG.format(directory=directory))

    def start(self) -> None:
        """Start it and return when it serves."""
        dnsmasq = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin") or "dnsmasq"
        log = self.log.with_suffix(".out")
        self._namespace.start([dnsmasq, "-k", "-u", "root", "-C", self.main_config], log)
        wait_until(self.pid_file.exists, 5, f"dnsmasq: {log.read_text()}")
