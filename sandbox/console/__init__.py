"""The sandbox's web console: one page to talk, click, make things happen and watch the calls."""
