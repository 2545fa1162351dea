"""Write learners' feedback pages with nbgrader's own converter, several at once."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.batch.submitted import Place


def feedback(config: Config, db_url: str, places: Sequence[Place], workers: int) -> Iterator[tuple[Place, bool]]:
    """Write the page of each graded submission, and yield it with whether that worked.

    The pages are those of `nbgrader generate_feedback --force` with this course's configuration: they show what is in
    the gradebook now, marks by hand included, and neither hidden tests nor marking schemes.
    """
    names = [(place.lab, place.learner) for place in places]
    spawn = multiprocessing.get_context("spawn")  # a copy of this process would share its gradebook connection
    with ProcessPoolExecutor(max(1, min(workers, len(names))), mp_context=spawn) as pool:
        done = pool.map(_write, repeat(config), repeat(db_url), *zip(*names, strict=True)) if names else ()
        yield from zip(places, done, strict=True)


def _write(config: Config, db_url: str, lab: str, learner: str) -> bool:
    course = CourseDirectory(config=config)
    course.db_url = db_url
    result = NbGraderAPI(course, config=config).generate_feedback(lab, learner, force=True)
    return bool(result["success"])
