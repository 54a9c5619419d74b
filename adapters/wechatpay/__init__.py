"""WeChat Pay APIv3: complaints, refunds, pictures and pushes of a merchant or partner. docs/platforms/wechatpay.md."""
