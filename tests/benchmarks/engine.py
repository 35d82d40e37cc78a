# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The client that is measured: the IPMI driver through the fleet, as an operation calls it, without Ansible.

``python -m tests.benchmarks.engine VERB COUNT SUITE SECONDS`` calls a verb of the driver on the first COUNT BMCs of the
farm and prints, as JSON, the seconds from the first node to the last session's close, and what came of each node.
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

USER, PASSWORD, PORT = "admin", "secret", 623
TIMEOUT = 20.0


async def drive(targets: dict[str, Target], verb: str, deadline: float) -> dict[str, fleet.Outcome]:
    """Call the verb on all of them and close the sessions."""
    driver = IpmiDriver()
    call = getattr(driver, verb)

    async def one(name: str) -> fleet.Done:
        return fleet.Done(more={verb: await call(targets[name], TIMEOUT)})

    try:
        return await fleet.run(list(targets), one, fleet.Limits(deadline=deadline))
    finally:
        await driver.close()


def told(outcome: fleet.Outcome, verb: str) -> dict[str, Any]:
    """Return an outcome as JSON can hold it."""
    found = outcome.done.more[verb] if outcome.done is not None else None
    error = outcome.error
    return {
        "found": None if found is None else str(found),
        "error": None if error is None else str(error.code),
        "said": None if error is None else str(error),
        "tries": outcome.tries,
        "seconds": outcome.seconds,
    }


def main() -> None:
    """Do it, and print what it came to."""
    verb, count, suite, deadline = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    targets = {}
    for number in range(count):
        address = f"127.1.{number // 250}.{number % 250 + 1}"
        targets[address] = Target(address, PORT, USER, PASSWORD, suite=suite)
    begun, cpu = time.perf_counter(), time.process_time()
    outcomes = asyncio.run(drive(targets, verb, deadline))
    took = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, "nodes": {name: told(outcome, verb) for name, outcome in outcomes.items()}}))


if __name__ == "__main__":
    main()
