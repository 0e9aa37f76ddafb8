"""e签宝 (eSign), SaaS API v3: contracts created from templates, signed by both sides, told back by signed callbacks."""
