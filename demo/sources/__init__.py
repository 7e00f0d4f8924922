"""Outside systems that hand out appeals. They know nothing of the hub but its push address."""
