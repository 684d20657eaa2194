"""The parent's side: what it delegates, and how its DS RRsets are changed."""
