"""What goes out to Feishu: rendered when it is sent, in order per chat, never faster than Feishu takes it."""
