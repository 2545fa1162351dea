"""Grade a whole class: find what was handed in, grade it in parallel, write it to the gradebook, report.

Follow a submission: `submitted` finds and reads it, `grading_run` has it graded, `gradebook` writes it, `run_report`
shows the class.
"""
