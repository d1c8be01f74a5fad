"""What a notable says: words, receipts, counterfactuals, controls."""
