"""Simulated units: they fetch or consume their tasks, write down what they got, and only then say yes."""
