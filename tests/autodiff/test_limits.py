"""What agreement.md says that a framework does not do is still so in the release that is installed."""

import pytest

from .installed import need
from .limits import LIMITS, Limit


@pytest.mark.slow  # it speaks of others' code, whose next release may be better; so it is not in the plain test command
@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.is_there.__name__.strip("_"))
def test_limit_is_there(limit: Limit) -> None:
    need(limit.framework)
    assert limit.is_there(), f"{limit.framework} does this now: simplify its program, and leave the limit out"
