#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Everything that CI runs: packages, gates, a short slice of the benchmarks, and then one run of pytest over all
# tests, whose closing line is the last that is printed. What failed before pytest is one failed test in it.
set -euo pipefail

failed=()
tests=(tests/unit)
[ -d tests/integration ] && tests+=(tests/integration)
tests+=(tests/gates)

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    tests/utils/quiet.sh apt tests/utils/apt.sh || failed+=(apt)
    [ -d tests/lab ] && tests+=(tests/lab)
else
    echo '  none  lab: needs root and Debian packages'
fi
.venv/bin/python -m tests.utils.lint || failed+=(lint)
if [ -e tests/benchmarks/__main__.py ]; then
    tests/utils/quiet.sh bench .venv/bin/python -m tests.benchmarks --quick || failed+=(bench)
fi

export STAGE0_COMPLETE=1 STAGE0_FAILED_BEFORE="${failed[*]}"
exec .venv/bin/python -m pytest --no-header --tb=short --durations=8 --hypothesis-profile=short "${tests[@]}"
