"""The AI Act as data: tables with sources, a calendar, duties of roles, and a walk through the Act with its reasons.

Regulation (EU) 2024/1689 as amended by Regulation (EU) 2026/1744. Teaching material, not legal advice: `AS_OF` says how
recent the tables are, `OPEN_QUESTIONS` and UNVERIFIED.md say what they do not settle, CHANGES.md how to update them.

    system = aiact.System("CV ranking", yes=["infers", "union_market", "recruitment", "profiling"], rest="no")
    print(aiact.assess(system))
"""

from labkit.aiact.answers import Answer
from labkit.aiact.assessment import Assessment, Outcome, Result, Step
from labkit.aiact.dates import AMENDED, Calendar, Text, calendar
from labkit.aiact.drawing import draw_calendar, draw_path
from labkit.aiact.duties import ROLES, Obligations, Owed, obligations
from labkit.aiact.entries import (
    AMENDMENTS,
    ARTICLES,
    AS_OF,
    CALENDAR,
    DEROGATION,
    DUTIES,
    FINES,
    HIGH_RISK,
    MODEL_DUTIES,
    NOTICE,
    OPEN_QUESTIONS,
    PROHIBITED,
    QUESTIONS,
    REQUIREMENTS,
    SCOPE,
    SOURCES,
    TABLES,
    THRESHOLDS,
    TRANSPARENCY,
    Table,
    articles_of,
)
from labkit.aiact.freshness import stale
from labkit.aiact.models import ModelAssessment, gpai, training_flop
from labkit.aiact.system import System
from labkit.aiact.walk import assess

__all__ = [
    "AMENDED",
    "AMENDMENTS",
    "ARTICLES",
    "AS_OF",
    "CALENDAR",
    "DEROGATION",
    "DUTIES",
    "FINES",
    "HIGH_RISK",
    "MODEL_DUTIES",
    "NOTICE",
    "OPEN_QUESTIONS",
    "PROHIBITED",
    "QUESTIONS",
    "REQUIREMENTS",
    "ROLES",
    "SCOPE",
    "SOURCES",
    "TABLES",
    "THRESHOLDS",
    "TRANSPARENCY",
    "Answer",
    "Assessment",
    "Calendar",
    "ModelAssessment",
    "Obligations",
    "Outcome",
    "Owed",
    "Result",
    "Step",
    "System",
    "Table",
    "Text",
    "articles_of",
    "assess",
    "calendar",
    "draw_calendar",
    "draw_path",
    "gpai",
    "obligations",
    "stale",
    "training_flop",
]
