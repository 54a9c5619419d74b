"""A stateful Feishu: people, chats, messages and cards behind the real HTTP and long-connection protocols."""
