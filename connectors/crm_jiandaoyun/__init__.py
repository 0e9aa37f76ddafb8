"""简道云 (Jiandaoyun), API v5: quotes and customers in forms that each customer names, pushed, polled and written back."""
