"""Bills of WeChat Pay: a merchant's trades and fund flows, and a person's bill; CSV, XLSX, ZIP and GZIP."""
