"""The evidence page: for each public model, everything that shows that it is right, and the command that shows it.

`gather` runs what is installed; `page.markdown` and `record.as_dict` write it down.
"""

from refdeconv.conformance.evidence.cells import Cell, Column
from refdeconv.conformance.evidence.gathering import Evidence, gather
from refdeconv.conformance.evidence.models import Model, public_models

__all__ = ["Cell", "Column", "Evidence", "Model", "gather", "public_models"]
