"""Pure decisions: facts in, decision out. No clock, no ledger, no network; the same in, the same out."""
