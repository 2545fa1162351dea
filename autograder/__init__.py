"""The grading side of the kit: release labs, prepare a learner's workspace, grade notebooks.

A learner's notebook never imports this package. It is used through the command `academy` and through nbgrader.
"""
