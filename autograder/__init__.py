"""The grading side of the kit: release labs, prepare a learner's workspace, grade notebooks.

A learner's notebook never imports this package. It is used through the command `academy` and through nbgrader.
"""

import sys

# jsonschema, which checks notebooks, would have this module build a grammar of internationalised addresses when it is
# imported. That takes more than a second in every process, and no field of a notebook is such an address.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
