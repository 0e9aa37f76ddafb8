"""The kinds of bill that Alipay hands out, by the columns that each needs. The summary beside a bill has none of them."""

from hub.sdk import Kind

TRADES = Kind(name="trade", needs=("支付宝交易号", "商户订单号", "商家实收", "服务费"))
FUNDS = Kind(name="funds", needs=("账务流水号", "发生时间", "收入金额", "支出金额"))
PERSONAL = Kind(name="personal", needs=("交易时间", "交易对方", "收/支", "金额", "交易状态", "交易订单号"))
KINDS = (TRADES, FUNDS, PERSONAL)
