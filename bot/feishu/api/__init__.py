"""The ports of `bot.feishu.port` over lark-oapi, one module for each of Feishu's APIs."""
