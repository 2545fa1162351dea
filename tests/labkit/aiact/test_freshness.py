"""Whether what is said of the law was looked at within twelve months: by the clock on request, by arithmetic always."""

from datetime import UTC, date, datetime, timedelta

import pytest

from labkit import aiact


@pytest.mark.scheduled
def test_nothing_is_older_than_twelve_months_today():
    assert aiact.stale(datetime.now(UTC).date()) == [], "see labs/labkit/aiact/CHANGES.md"


def test_the_tables_age():
    assert aiact.stale(aiact.AS_OF) == []
    late = aiact.stale(date(aiact.AS_OF.year + 3, 1, 1))
    assert late[0].startswith(f"AS_OF is {aiact.AS_OF}")
    assert len(late) > 100, "every entry and every source has a date of its own"


def test_a_year_is_counted_to_the_day():
    same_day = aiact.AS_OF.replace(year=aiact.AS_OF.year + 1)
    assert not [line for line in aiact.stale(same_day) if line.startswith("AS_OF")]
    assert [line for line in aiact.stale(same_day + timedelta(days=1)) if line.startswith("AS_OF")]
