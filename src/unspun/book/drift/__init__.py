"""Schema drift: what the columns of a source's files held, load by load, and what has changed since the load before."""
