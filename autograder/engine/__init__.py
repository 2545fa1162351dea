"""The isolated grading engine: warm processes run a learner's answers and, apart from them, the tests.

Follow a notebook through it: `runner` takes it, `plan` sorts its cells, `conductor` conducts the run, `warm` and
`server` fork two processes from a warm one, `sandbox` shuts each of them in, `learner` and `examiner` are what runs
inside, and `values` is all that crosses.
"""
