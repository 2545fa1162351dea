"""nbgrader for the graders of a hub: the kit's configuration, with the hub's exchange, groups and accounts."""
# mypy: ignore-errors

import os

import autograder
from nbgrader.auth import JupyterHubAuthPlugin

from autograder.nbgrader_collecting import CheckedCollect

c = get_config()  # noqa: F821 - traitlets defines it while it reads this file

load_subconfig(os.path.join(autograder.__path__[0], "nbgrader_config.py"))  # noqa: F821, PTH118 - takes no Path
c.Authenticator.plugin_class = JupyterHubAuthPlugin
c.Exchange.root = os.environ["ACADEMY_EXCHANGE"]
c.ExchangeFactory.collect = CheckedCollect
c.ExchangeCollect.check_owner = os.environ["ACADEMY_ACCOUNTS"] == "yes"
