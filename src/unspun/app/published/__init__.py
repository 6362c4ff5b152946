"""What was published, shown: pages that reports lay out once a refresh, and any figure opened."""
