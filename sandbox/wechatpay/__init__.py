"""WeChat Pay APIv3 as a merchant sees it: complaints, refunds, orders, pictures and notifications.

docs/platforms/wechatpay.md.
"""
