"""The catalogue of the field's standard metrics, and what of it a book can bear."""
