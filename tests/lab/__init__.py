# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab: emulated machines with somebody else's BMC, firmware and DHCP, installed by our playbook.

Two QEMU machines (one BIOS, one UEFI), each behind an OpenIPMI ``ipmi_sim``, stand in a network namespace of their own
with dnsmasq and the hub. Their installer writes a real disk. Needs root and the packages that
``python -m tests.lab --packages`` names; ``test_lab.py`` is the proof, ``python -m tests.lab`` the same to look at.
"""
