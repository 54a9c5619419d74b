"""Feishu itself: what comes in proven and parsed, what goes out by one port, and the check-up of an app's set-up."""
