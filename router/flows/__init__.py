"""The way of an appeal, one flow per file. Flows speak to the ledger and the broker through ports."""
