# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: documentation of the options that modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """The database; a noderange; what tasks over many nodes and on BMCs have."""

    DOCUMENTATION = r"""
options:
  database:
    description:
      - URL of the node database, such as C(sqlite:////var/lib/stage0/metal.db) or C(postgresql://USER:PASSWORD@HOST/NAME),
        with other characters than letters and digits of the password percent-encoded. It can come from C(~/.pgpass) too.
      - By default the environment variable E(STAGE0_DATABASE) names it; else it is C(metal.db) in the folder that
        E(STAGE0_HOME) names, which is C(/var/lib/stage0) where that can be written, and the user's XDG data folder elsewhere.
    type: str
requirements:
  - SQLAlchemy >= 2.0.20
  - psycopg >= 3.1.8, for PostgreSQL
  - cryptography >= 41.0.0
"""

    NODES = r"""
options:
  nodes:
    description:
      - The nodes, as a noderange or a list of noderanges, such as V(rack1,-r1n07), V(r1n[01-20]) or V(all).
      - An unknown name, an empty range and a descending range are errors, and nothing is touched then.
    type: list
    elements: str
    required: true
"""

    BATCH = r"""
options:
  detail:
    description: Which nodes the result lists in RV(ignore:nodes). Failed nodes are always listed in RV(ignore:failed_nodes).
    type: str
    choices: [all, changed, failed, none]
    default: all
  max_nodes:
    description: Refuse the task if it means more nodes than this.
    type: int
"""

    FAILURES = r"""
options:
  max_failed:
    description:
      - How many nodes may fail without the task failing, as a count such as V(3) or a percentage such as V(2%).
      - Whatever it is, all nodes are tried and the result tells each one's outcome.
    type: str
    default: '0'
"""

    BMC = r"""
options:
  timeout:
    description: Seconds within which a BMC has to answer a request, log-in included.
    type: float
    default: 20.0
  deadline:
    description: Seconds within which the whole task ends, whatever the BMCs do. Nodes that are not done by then have failed.
    type: float
    default: 900.0
notes:
  - The module runs on the management node, near the BMCs, not on the nodes. Use one task for all of them.
  - While the task runs on the controller, it tells its progress every ten seconds.
"""

    STAGGER = r"""
options:
  stagger:
    description:
      - Spread over time what draws current. Only nodes to which a command has to be sent take a turn.
      - It is refused if the last node could not begin before O(deadline).
    type: dict
    suboptions:
      count:
        description: How many nodes may begin in one interval.
        type: int
        required: true
      interval:
        description: Seconds of an interval.
        type: float
        required: true
      per:
        description:
          - Attribute by which nodes are counted, such as V(location.feed). So many nodes may begin for each of its values.
          - By default all nodes of the task are counted together.
        type: str
"""
