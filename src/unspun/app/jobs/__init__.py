"""Work done beside the pages: the queue (`queue`), what each kind of job does (`work`), and when a refresh is due (`schedule`)."""
