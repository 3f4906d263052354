"""Clusters that are not as others: slow, half broken, IPv6 alone, or with users of their own."""
