"""Renewals derived from subscription terms, by rules that are stated."""
