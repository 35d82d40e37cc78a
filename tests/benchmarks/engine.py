# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The client that is measured: the IPMI driver through the fleet, as an operation calls it, without Ansible.

``python -m tests.benchmarks.engine VERBS COUNT DEADLINE TRIES`` calls the verbs of the driver (``inventory+sensors``) on
the first COUNT BMCs of the farm, with cipher suite 3, and prints as JSON the seconds from the first node to the last
session's close, and what came of each node.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Target
from ansible_collections.stage0.metal.plugins.module_utils._drivers.ipmi import IpmiDriver
from ansible_collections.stage0.metal.plugins.module_utils._fleet import fleet

from .farm import addresses

USER, PASSWORD, PORT, SUITE = "admin", "secret", 623, 3
TIMEOUT = 20.0


async def drive(targets: dict[str, Target], verbs: list[str], limits: fleet.Limits) -> dict[str, fleet.Outcome]:
    """Call the verbs, one after the other, on all of them and close the sessions."""
    driver = IpmiDriver()

    async def one(name: str) -> fleet.Done:
        return fleet.Done(more={verb: await getattr(driver, verb)(targets[name], TIMEOUT) for verb in verbs})

    try:
        return await fleet.run(list(targets), one, limits)
    finally:
        await driver.close()


def told(outcome: fleet.Outcome) -> dict[str, Any]:
    """Return an outcome as JSON can hold it."""
    found = outcome.done.more if outcome.done is not None else {}
    error = outcome.error
    return {
        "found": {verb: str(value) for verb, value in found.items()},
        "error": None if error is None else str(error.code),
        "said": None if error is None else str(error),
        "tries": outcome.tries,
        "seconds": outcome.seconds,
    }


def main() -> None:
    """Do it, and print what it came to."""
    verbs, count = sys.argv[1].split("+"), int(sys.argv[2])
    limits = fleet.Limits(deadline=float(sys.argv[3]), tries=int(sys.argv[4]))
    targets = {name: Target(name, PORT, USER, PASSWORD, suite=SUITE) for name in addresses(count)}
    begun, cpu = time.perf_counter(), time.process_time()
    outcomes = asyncio.run(drive(targets, verbs, limits))
    took = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, "nodes": {name: told(outcome) for name, outcome in outcomes.items()}}))


if __name__ == "__main__":
    main()
