"""Lowering: from the nodes of the metric language to SQL that is built as a tree and never pasted from texts."""
