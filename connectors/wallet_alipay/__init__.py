"""Bills of Alipay: a merchant's trades and fund flows, and a person's bill; CSV, XLSX and ZIP."""
