"""WeChat Pay APIv3 as a merchant sees it: complaints, refunds, orders, pictures and notifications.

docs: wechatpay.md §1–9 and §16.
"""
