"""The people of a workspace: who joins, in which role, for which accounts, and who they are to the operations."""
