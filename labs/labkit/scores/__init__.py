"""Tables and pictures of how well a classifier does for each language and theme, with intervals.

All of them start from one table of judged titles: a row a title and language, with the columns id, language, theme
(the right one) and predicted. The interval is over titles, not over rows: the same title in 24 languages is one
piece of evidence about titles, not 24.
"""

from labkit.scores.drawing import draw_grid, draw_languages, draw_themes
from labkit.scores.tables import ScoreError, by_group, difference, grid, overall

__all__ = ["ScoreError", "by_group", "difference", "draw_grid", "draw_languages", "draw_themes", "grid", "overall"]
