#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Runs a command with its output in .build/log/NAME.log; shows the end of the log only if the command fails.
# Usage: tests/utils/quiet.sh NAME COMMAND [ARGUMENT ...]
set -euo pipefail

name=$1
shift
log=.build/log/$name.log
mkdir -p .build/log
started=$SECONDS
if "$@" >"$log" 2>&1 </dev/null; then
    printf '  ok    %s (%d s)\n' "$name" "$((SECONDS - started))"
else
    code=$?
    tail -n 60 "$log"
    printf '  FAIL  %s (exit %d after %d s; all of it: %s)\n' "$name" "$code" "$((SECONDS - started))" "$log"
    exit "$code"
fi
