"""nbgrader for the graders of a hub: the kit's configuration, with the hub's exchange and its accounts.

Without nbgrader's plug-in for groups: who may come here at all is the hub's business, and so formgrader needs no rights
on the hub.
"""
# mypy: ignore-errors

import os

import autograder
from autograder.nbgrader_collecting import CheckedCollect

c = get_config()  # noqa: F821 - traitlets defines it while it reads this file

load_subconfig(os.path.join(autograder.__path__[0], "nbgrader_config.py"))  # noqa: F821, PTH118 - takes no Path
c.Exchange.root = os.environ["ACADEMY_EXCHANGE"]
c.ExchangeFactory.collect = CheckedCollect
c.ExchangeCollect.check_owner = os.environ["ACADEMY_ACCOUNTS"] != "none"
