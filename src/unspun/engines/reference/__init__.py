"""The reference engine: the metric language computed by plain loops over the rows, one account and date at a time.

It is written from the meaning of the nodes and shares no code with the SQL that other engines run, so that what they agree on is not
one mistake made once. It is slow; use it to check an engine, or to explain one value.
"""

from unspun.engines.reference.panel import reference_panel

__all__ = ["reference_panel"]
