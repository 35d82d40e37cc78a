# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON := .venv/bin/python
QUIET := tests/utils/quiet.sh

export PYTHONPATH := $(CURDIR)/.build/dev
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.build/dev
export ANSIBLE_HOME := $(CURDIR)/.build/ansible-home
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help venv venv-run apt lint test demo lab bench fuzz clean

help:
	@echo "make demo    a simulated rack of 24 nodes, installed by the playbook (no root)"
	@echo "make lab     two emulated machines with BMCs, installed by the playbook (root)"
	@echo "make test    everything that CI runs (with the lab if root)"
	@echo "make lint    all gates"
	@echo "make bench   figures beside a peer's, from the same run"
	@echo "make fuzz    the property tests, for longer"
	@echo "make venv    the virtual environments; make apt: the Debian packages (root); make clean"

venv:
	@$(QUIET) venv tests/utils/venv.sh

# What is needed to run, without what is needed to check.
venv-run:
	@$(QUIET) venv tests/utils/venv.sh --without-importer

apt:
	@$(QUIET) apt tests/utils/apt.sh

lint: venv
	@$(PYTHON) -m tests.utils.lint $(ONLY)

test: venv
	@tests/utils/test.sh

demo: venv-run
	@$(PYTHON) -m tests.demo

lab: venv-run apt
	@$(PYTHON) -m tests.lab

bench: venv-run
	@$(PYTHON) -m tests.benchmarks $(ONLY)

fuzz: venv-run
	@$(PYTHON) -m pytest --no-header -q --hypothesis-profile=long -m hypothesis tests/unit tests/integration

clean:
	@rm -rf .build .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible
