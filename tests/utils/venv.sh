#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Makes .venv and .venv-importer, or brings them up to the requirements if those have changed.
set -euo pipefail

find_python() {
    local candidate
    for candidate in python3.11 /usr/bin/python3.11 python3.12 python3.13 python3.14 python3; do
        # pyenv leaves shims that exist and do not run: only trying tells.
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    printf 'No Python 3.11 or newer was found. On Debian 12: apt-get install python3 python3-venv\n' >&2
    return 1
}

# Debian ships python3 without the modules that a virtual environment needs.
require_venv() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 && return
    if [ "$(id -u)" -ne 0 ]; then
        printf '%s has no venv module. On Debian: apt-get install python3-venv\n' "$1" >&2
        return 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -q -y --no-install-recommends python3-venv
}

make_venv() {
    local folder=$1 stamp
    shift
    stamp=$(cat "$@" | sha256sum | cut -c1-16)
    [ -e "$folder/.complete-$stamp" ] && return
    if [ ! -x "$folder/bin/python" ]; then
        local python
        python=$(find_python)
        require_venv "$python"
        "$python" -m venv "$folder"
    fi
    rm -f "$folder"/.complete-*
    local requirements=() file
    for file in "$@"; do
        requirements+=(-r "$file")
    done
    "$folder/bin/python" -m pip install -q --upgrade --upgrade-strategy only-if-needed "${requirements[@]}"
    touch "$folder/.complete-$stamp"
}

make_venv .venv requirements-dev.txt requirements.txt
if [ "${1:-}" != --without-importer ]; then
    make_venv .venv-importer requirements-importer.txt
fi
# The import path of everything that runs from this clone: the collection under its full name.
mkdir -p .build/dev/ansible_collections/stage0
ln -sfn ../../../.. .build/dev/ansible_collections/stage0/metal
