"""The isolated grading engine: warm processes run a learner's answers and, apart from them, the tests.

Follow a notebook through it: `runner` takes it, `plan` sorts its cells, `conductor` conducts the run, `warm` and, on
the other side of a socket, `template` fork two processes from a warm one, `sandbox` shuts each of them in, `learner`
and `examiner` are what runs inside, and `values` is all that crosses. Interactive kernels are forked in the same way,
by `kernel`; `server` is what it has in common with `template`.
"""
