# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Action plugin of stage0.metal.bmc_user: runs on the controller, so that progress is seen."""

from __future__ import annotations

from ansible_collections.stage0.metal.plugins.module_utils._module.run import Operation
from ansible_collections.stage0.metal.plugins.module_utils._operations.bmc_user import bmc_user
from ansible_collections.stage0.metal.plugins.modules.bmc_user import ARGUMENT_SPEC
from ansible_collections.stage0.metal.plugins.plugin_utils._action import OperationAction


class ActionModule(OperationAction):
    """Runs the operation bmc_user."""

    SPEC = ARGUMENT_SPEC

    def operation(self) -> Operation:
        """Return the operation."""
        return bmc_user
