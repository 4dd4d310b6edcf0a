"""Any implementation, in any language: a folder with inputs goes out, one with answers comes back and is judged."""

from refdeconv.conformance.challenge.answer_files import AnswersError, answers
from refdeconv.conformance.challenge.folder import Challenge
from refdeconv.conformance.challenge.judging import Judgement, judge, judged
from refdeconv.conformance.challenge.probes import Call
from refdeconv.conformance.challenge.problem import NAMES, PRECISIONS, Problem
from refdeconv.conformance.challenge.reading import read
from refdeconv.conformance.challenge.writing import challenge, write

__all__ = [
    "NAMES",
    "PRECISIONS",
    "AnswersError",
    "Call",
    "Challenge",
    "Judgement",
    "Problem",
    "answers",
    "challenge",
    "judge",
    "judged",
    "read",
    "write",
]
