"""Other systems, in and out."""
