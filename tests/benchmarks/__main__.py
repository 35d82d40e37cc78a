# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python -m tests.benchmarks``: all benchmarks. ``--quick``: a short slice of each, so that they cannot rot."""

from __future__ import annotations

import argparse
import sys

from .power_info import power_info


def main() -> int:
    """Run the benchmarks and print what they measured."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Figures beside a peer's, from the same run."
    )
    parser.add_argument("--quick", action="store_true", help="a short slice of each, for CI: 20 BMCs, one round")
    given = parser.parse_args()
    count, rounds = (20, 1) if given.quick else (500, 5)
    print(power_info(count, rounds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
