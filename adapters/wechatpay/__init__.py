"""WeChat Pay APIv3: complaints, refunds, pictures and pushes of one merchant or partner. docs: wechatpay.md."""
