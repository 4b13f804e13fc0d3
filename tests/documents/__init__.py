"""`make documents`: documentation of real projects and notes, indexed and looked at."""
