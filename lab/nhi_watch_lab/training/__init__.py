"""Training of the scorecard: the only place that imports scikit-learn, NumPy and joblib."""
