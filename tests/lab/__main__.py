# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make lab``: the lab to look at: a timeline of what happens, and a table at the end."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from types import FrameType

from .requirements import PACKAGES, LabError
from .rig import SITES, Rig
from .scenario import Observation, Scenario
from .timeline import Event, Timeline

ROW = "{:<6} {:<9} {:<18} {:<12} {:<6} {:>6}  {}"


def _print(event: Event) -> None:
    print(f"{event.seconds:7.1f} s  {event.machine:<6} {event.text}", flush=True)


def _table(observations: dict[str, Observation]) -> None:
    print()
    print(ROW.format("node", "firmware", "MAC", "deployment", "power", "boots", "power seen alike by"))
    for site in SITES:
        seen = observations[site.spec.name]
        alike = ", ".join(tool for tool, state in seen.power.items() if state == seen.power["power_info"])
        print(
            ROW.format(
                site.spec.name,
                site.spec.firmware,
                site.spec.mac,
                seen.deployment,
                seen.power["power_info"],
                seen.boots,
                alike,
            )
        )


def _show(rig: Rig) -> None:
    scenario = Scenario(rig)
    with Timeline(rig, _print) as timeline:
        timeline.say(f"two machines with their BMCs stand in network namespace {rig.namespace.name}; both are off")
        scenario.describe()
        timeline.say("nodes imported, profile made, DHCP configured, hub up; ansible-playbook stage0.metal.provision")
        _provision(scenario, timeline.say)
        timeline.say("the same playbook again")
        _provision(scenario, timeline.say)
        timeline.say("power cycle by stage0.metal.power")
        scenario.cycle()
        observations = scenario.observe()
    _table(observations)


def _provision(scenario: Scenario, say: Callable[[str], None]) -> None:
    run = scenario.provision()
    if run.failed:
        raise LabError(f"the playbook failed:\n{run.output}")
    say(f"the playbook ended after {run.seconds:.1f} s: changed={run.changed} failed={run.failed}")


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run the lab; 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description="Install two emulated machines.")
    parser.add_argument("--packages", action="store_true", help="print the Debian packages that it needs, and end")
    if parser.parse_args().packages:
        print(" ".join(sorted(set(PACKAGES.values()))))
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _terminate)
    print("lab: fetching a kernel and building installer and disk image, unless that is done already", flush=True)
    try:
        with Rig() as rig:
            try:
                _show(rig)
            except Exception:
                print(f"{rig.logs()}\nlab: all of these logs stay in {rig.directory}", file=sys.stderr)
                raise
    except LabError as exc:
        print(f"lab: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; everything is stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
