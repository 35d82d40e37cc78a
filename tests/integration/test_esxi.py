# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An ESXi 8 profile on synthetic media: what a machine is served byte for byte, and a simulated machine that installs it."""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path

from tests.integration.site import ROOT, Site, installs, names, rack, wait_for

TEMPLATE = ROOT / "roles" / "deploy" / "templates" / "esxi8.ks.j2"
HASH = "$6$stage0stage0$" + "u" * 86
BOOT_CFG = """bootstate=0
title=Loading ESXi installer
timeout=5
prefix=
kernel=/b.b00
kernelopt=runweasel cdromBoot
modules=/jumpstrt.gz --- /useropts.gz --- /features.gz --- /k.b00 --- /net/e1000.v00
build=8.0.3-0.0.24022510
updated=0
"""
MODULES = ["jumpstrt.gz", "useropts.gz", "features.gz", "k.b00", "net/e1000.v00"]
MAC = "52:54:00:e5:00:01"


def media(folder: Path) -> Path:
    """A tree as an unpacked ESXi medium has it; the contents of its modules are nobody's business here."""
    root = folder / "esxi8"
    for name in ["b.b00", "efi/boot/bootx64.efi", *MODULES]:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 1000)
    (root / "efi" / "boot" / "boot.cfg").write_text(BOOT_CFG)
    (root / "boot.cfg").write_text(BOOT_CFG)
    return root


def esxi_profile(site: Site, root: Path) -> None:
    made = site.module(
        "profile",
        name="esxi8",
        installer="esxi",
        media=str(root),
        answer_file=str(TEMPLATE),
        kernel_arguments=["netdevice={% raw %}{{ network.mac }}{% endraw %}"],  # else Ansible would render it
        variables={"ntp_servers": ["10.1.0.1"], "ssh": True},
    )
    assert not made["failed"], made


def one_node(site: Site) -> None:
    values = {"net.mac": MAC, "net.ip": "10.1.1.1", "net.netmask": "255.255.0.0", "net.gateway": "10.1.0.1"}
    made = site.module(
        "node",
        name="e1",
        attributes={**values, "net.dns": ["10.1.0.1", "10.1.0.2"]},
        secrets={"deploy.root_password_hash": HASH, "bmc.password": "bmc-password-of-e1"},
    )
    assert not made["failed"], made


def test_a_node_is_served_what_its_medium_says_rewritten_for_the_network(site: Site) -> None:
    root = media(site.folder)
    esxi_profile(site, root)
    one_node(site)
    assert site.module("arm", nodes=["e1"], profile="esxi8")["armed_nodes"] == ["e1"]
    script = site.get(f"/boot?mac={urllib.parse.quote(MAC)}&uuid=")[1]
    found = re.search(rf"{site.url}(/deploy/e1/([\w-]{{43}}))/boot\.cfg", script)
    assert found, script
    deploy = found[1]
    assert f"kernel {site.url}/media/esxi8/efi/boot/bootx64.efi -c {site.url}{deploy}/boot.cfg\n" in script
    expected = (
        BOOT_CFG.replace("prefix=\n", f"prefix={site.url}/media/esxi8\n")
        .replace("kernel=/b.b00", "kernel=b.b00")
        .replace("runweasel cdromBoot", f"runweasel ks={site.url}{deploy}/answer netdevice={MAC}")
        .replace("modules=" + " --- ".join(f"/{name}" for name in MODULES), "modules=" + " --- ".join(MODULES))
    )

    assert site.get(f"{deploy}/boot.cfg")[1] == expected
    for name in ["b.b00", *MODULES]:
        status, text = site.get(f"/media/esxi8/{name}")
        assert (status, text) == (200, name * 1000)
    kickstart = site.get(f"{deploy}/answer")[1]
    assert f"rootpw --iscrypted {HASH}\n" in kickstart
    network = f"network --bootproto=static --device={MAC} --ip=10.1.1.1 --netmask=255.255.0.0 --gateway=10.1.0.1"
    assert f"{network} --nameserver=10.1.0.1,10.1.0.2 --hostname=e1 --addvmportgroup=1\n" in kickstart
    assert f'wget -q -O /dev/null "{site.url}{deploy}/report?state=installing&percent=5"' in kickstart
    assert "bmc-password-of-e1" not in kickstart + script
    assert site.states() == {"e1": "installing"}
    assert site.get(f"{deploy}/boot.cfg")[0] == 410, "the boot configuration is no longer its business"
    assert site.get(f"{deploy}/report?state=installed")[1] == "accepted\n"
    assert site.get(f"{deploy}/report?state=installed")[1] == "ignored\n"
    assert "sanboot" in site.get(f"/boot?mac={MAC}")[1]


def test_incomplete_media_and_an_incomplete_node_arm_nobody(site: Site) -> None:
    root = media(site.folder)
    esxi_profile(site, root)
    one_node(site)
    assert not site.module("node", name="e2", attributes={"net.mac": "52:54:00:e5:00:02"})["failed"]
    lacking = site.module("arm", nodes=["e1,e2"], profile="esxi8")
    assert lacking["failed"]
    assert lacking["msg"].startswith("e2: profile esxi8: the answer file: an expression gives no value (null)")
    assert lacking["error"]["code"] == "template"
    (root / "net" / "e1000.v00").rename(root / "net" / "E1000.v00")
    wrong_case = site.module("arm", nodes=["e1"], profile="esxi8")
    assert wrong_case["failed"]
    assert "lack net/e1000.v00; names count in exact case" in wrong_case["msg"]
    assert site.states() == {"e1": "none", "e2": "none"}


def test_simulated_machines_install_esxi_by_boot_cfg_and_kickstart(site: Site) -> None:
    with rack(site, 40, 2) as running:
        esxi_profile(site, media(site.folder))
        secret = {"deploy.root_password_hash": HASH}
        assert not site.module("group", name="rack1", secrets=secret, attributes={"deploy.profile": "esxi8"})["failed"]
        done = site.playbook("-e", "metal_nodes=rack1", "-e", "metal_poll=1")
        assert done.returncode == 0, done.stdout + done.stderr
        assert site.states() == dict.fromkeys(names(2), "ready")
        wait_for(lambda: installs(running) == dict.fromkeys(names(2), 1), "one install each")
        assert "boot configuration" in site.timeline("n01")
        assert HASH not in done.stdout + done.stderr + (site.folder / "hub.log").read_text()
