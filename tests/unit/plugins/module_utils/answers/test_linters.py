# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The linters of answer files: ESXi's kickstart by VMware's tables, and the lab's installer's."""

from __future__ import annotations

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._answers import kickstart_esxi, lab
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError

HASH = "$6$salt$" + "x" * 86
GOOD = (
    f"vmaccepteula\nrootpw --iscrypted {HASH}\ninstall --firstdisk --overwritevmfs\nnetwork --bootproto=dhcp\nreboot\n"
)

FINE = [
    GOOD,
    GOOD.replace("\n", "\r\n"),
    GOOD.replace("vmaccepteula", "# a comment\n\naccepteula"),
    GOOD.replace("install --firstdisk", "install --disk=mpx.vmhba1:C0:T0:L0"),
    GOOD.replace("install --firstdisk", 'install --drive="naa.6000"'),
    GOOD.replace("install --firstdisk", "install --firstdisk=local,remote --novmfsondisk"),
    GOOD.replace("install --firstdisk", "upgrade --firstdisk --forcemigrate"),
    GOOD.replace("install --firstdisk", "clearpart --alldrives --overwritevmfs\ninstallorupgrade --firstdisk"),
    GOOD.replace("--bootproto=dhcp", "--bootproto=dhcp --device=vmnic0 --vlanid=100"),
    GOOD.replace("--bootproto=dhcp", "--bootproto=static --ip=10.0.0.1 --netmask=255.255.255.0 --gateway=10.0.0.2"),
    GOOD.replace("reboot", "keyboard 'Swiss German'\nserialnum --esx=AAAAA\nreboot --noeject"),
    GOOD.replace("reboot", "part data --ondisk=mpx.vmhba1\nparanoid\ndryrun\n%include /tmp/more\nreboot"),
    GOOD
    + "%pre --interpreter=busybox\nanything % goes --here 'not closed\n%post --interpreter=python --timeout=9\nx\n",
    GOOD + "%firstboot --interpreter=busybox\n\n%firstboot --interpreter=python\n",
]


@pytest.mark.parametrize("text", FINE)
def test_good_kickstarts(text: str) -> None:
    kickstart_esxi.lint(text)


NETWORK = "network --bootproto=dhcp"
WRONG = [
    ("vmaccepteula\n", "", "ESXi kickstart: the command vmaccepteula is missing"),
    (f"rootpw --iscrypted {HASH}\n", "", "ESXi kickstart: the command rootpw is missing"),
    (
        "install --firstdisk --overwritevmfs\n",
        "",
        "ESXi kickstart: exactly one of install, upgrade and installorupgrade",
    ),
    ("reboot\n", "", "ESXi kickstart: the command reboot is missing, so the installer would wait for a key"),
    ("reboot", "upgrade --firstdisk\nreboot", "ESXi kickstart: exactly one of install, upgrade and installorupgrade"),
    ("--firstdisk --ov", "--ov", "ESXi kickstart: the install command needs exactly one of --disk=, --drive= and"),
    ("--firstdisk", "--firstdisk --disk=x", "ESXi kickstart: the install command needs exactly one of --disk="),
    ("--overwritevmfs", "--novmfsondisk", "ESXi kickstart: --novmfsondisk only goes with --overwritevmfs"),
    ("install ", "put ", "ESXi kickstart, line 3: 'put' is not a command of ESXi's installer"),
    ("install ", "install now ", "ESXi kickstart, line 3: the command install takes no word such as 'now'"),
    (
        "--overwritevmfs",
        "--overwrite",
        "ESXi kickstart, line 3: option --overwrite is not known here; known are: --disk=",
    ),
    ("--firstdisk", "--disk=", "ESXi kickstart, line 3: option --disk= has no value"),
    ("--firstdisk", "--disk", "ESXi kickstart, line 3: option --disk is not known here; known are: --disk="),
    ("--iscrypted ", "", "ESXi kickstart, line 2: rootpw without --iscrypted would carry the password in the clear"),
    (f" {HASH}", "", "ESXi kickstart, line 2: rootpw needs exactly one password"),
    (HASH, "clear", "ESXi kickstart, line 2: rootpw --iscrypted needs a crypt(3) hash that begins with $6$"),
    (HASH, f"{HASH} x", "ESXi kickstart, line 2: rootpw needs exactly one password"),
    ("reboot", f"{NETWORK}\nreboot", "ESXi kickstart, line 5: the command network stands there twice"),
    ("reboot", "install --disk=x\nreboot", "ESXi kickstart, line 5: the command install stands there twice"),
    (" --bootproto=dhcp", "", "ESXi kickstart, line 4: network needs --bootproto=dhcp or --bootproto=static"),
    ("=dhcp", "=auto", "ESXi kickstart, line 4: network needs --bootproto=dhcp or --bootproto=static"),
    ("=dhcp", "=dhcp --ip=10.0.0.1", "ESXi kickstart, line 4: network --bootproto=dhcp does not go with --ip="),
    ("=dhcp", "=static --ip=10.0.0.1", "ESXi kickstart, line 4: network --bootproto=static needs --ip= and --netmask="),
    ("=dhcp", "=dhcp --vlanid=1", "ESXi kickstart, line 4: network --vlanid= needs a number from 2 to 4095; leave"),
    ("=dhcp", "=dhcp --vlanid=x", "ESXi kickstart, line 4: network --vlanid= needs a number from 2 to 4095; leave"),
    ("=dhcp", "=dhcp --vlanid=²", "ESXi kickstart, line 4: network --vlanid= needs a number from 2 to 4095; leave"),
    ("reboot", "keyboard 'Swiss\nreboot", "ESXi kickstart, line 5: No closing quotation"),
    (
        "reboot",
        "reboot\n%packages\n",
        "ESXi kickstart, line 6: %packages is not a section of ESXi's installer; it knows",
    ),
    ("reboot", "reboot\n%pre\n", "ESXi kickstart, line 6: %pre needs --interpreter=busybox or --interpreter=python"),
    ("reboot", "reboot\n%pre --interpreter=bash\n", "ESXi kickstart, line 6: %pre needs --interpreter=busybox or"),
    ("reboot", "reboot\n%pre --timeout=1\n", "ESXi kickstart, line 6: option --timeout= is not known here; known are:"),
    ("reboot", "reboot\n%pre --interpreter=busybox\n%end\n", "ESXi kickstart, line 7: %end is not a section of ESXi's"),
    (GOOD, "", "ESXi kickstart: the command vmaccepteula is missing"),
    (GOOD, '""\n', "ESXi kickstart, line 1: '' is not a command of ESXi's installer"),
]


@pytest.mark.parametrize(("old", "new", "says"), WRONG)
def test_bad_kickstarts(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(MetalError) as caught:
        kickstart_esxi.lint(GOOD.replace(old, new, 1))
    assert caught.value.code is ErrorCode.TEMPLATE
    assert str(caught.value).startswith(says)
    assert HASH not in str(caught.value)


LAB = "hostname n1\ndisk first\nimage http://h/media/lab/disk.img.gz\nreport http://h/deploy/n1/t/report\n"


def test_good_lab_answers() -> None:
    lab.lint(LAB)
    lab.lint("# comment\n\n" + LAB.replace("first", "/dev/vda"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("disk first\n", "", "lab answer file: disk missing"),
        (LAB, "", "lab answer file: hostname, disk, image, report missing"),
        ("disk", "disc", "lab answer file, line 2: 'disc' is none of hostname, disk, image, report"),
        ("disk first", "disk first\ndisk first", "lab answer file, line 3: disk stands there twice"),
        ("first", "", "lab answer file, line 2: '' cannot be the value of disk"),
        ("first", "/dev/vda; reboot", "lab answer file, line 2: '/dev/vda; reboot' cannot be the value of disk"),
        ("first", "/etc/passwd", "lab answer file, line 2: '/etc/passwd' cannot be the value of disk"),
        ("n1", "N1", "lab answer file, line 1: 'N1' cannot be the value of hostname"),
        ("image http", "image ftp", "lab answer file, line 3: 'ftp://h/media/lab/disk.img.gz' cannot be the value of"),
        (
            "/report",
            "/reports",
            "lab answer file, line 4: 'http://h/deploy/n1/t/reports' cannot be the value of report",
        ),
    ],
)
def test_bad_lab_answers(old: str, new: str, says: str) -> None:
    with pytest.raises(MetalError) as caught:
        lab.lint(LAB.replace(old, new, 1))
    assert caught.value.code is ErrorCode.TEMPLATE
    assert str(caught.value).startswith(says)
