"""Tracking: an event that broke told apart from customers who use less."""
