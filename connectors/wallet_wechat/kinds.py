"""The kinds of bill that WeChat Pay hands out, by the columns that each needs."""

from hub.sdk import Kind

TRADES = Kind(name="trade", needs=("交易时间", "微信订单号", "商户订单号", "手续费"))
FUNDS = Kind(name="funds", needs=("记账时间", "资金流水单号", "收支类型", "收支金额"))
PERSONAL = Kind(name="personal", needs=("交易时间", "交易对方", "收/支", "金额", "当前状态", "交易单号"))
KINDS = (TRADES, FUNDS, PERSONAL)
