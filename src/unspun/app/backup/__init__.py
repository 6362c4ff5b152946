"""A backup of a workspace in one file (`make`), its form (`archive`), and the workspace made of it again (`restore`)."""
