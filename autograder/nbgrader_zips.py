"""Let nbgrader's zip collect unpack what learners handed in within limits, and skip a bad archive with a line."""

import os
from pathlib import Path

from nbgrader.plugins.zipcollect import ExtractorPlugin

from autograder.archives import read_archive
from autograder.batch.submitted import read_once
from autograder.errors import AcademyError
from autograder.files import write_whole
from autograder.handing_in import LIMITS


class LimitedExtractor(ExtractorPlugin):  # type: ignore[misc]
    """Unpack each zip file into a folder of its name, as nbgrader's own extractor does; other files are left out."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack the zip files anywhere below `archive_path`; one that is refused is logged, and the others go on."""
        for place, _, names in os.walk(archive_path):
            folder = Path(extracted_path, os.path.relpath(place, archive_path))
            for path in sorted(Path(place, name) for name in names):
                if path.suffix != ".zip":
                    self.log.warning(f"{path}: not a zip file, left out")
                    continue
                try:
                    files = read_archive(read_once(path, LIMITS.total_bytes), LIMITS)
                except AcademyError as error:
                    self.log.warning(f"{path}: {error}")
                    continue
                for name, content in files.items():
                    write_whole(folder / path.stem / name, content)
