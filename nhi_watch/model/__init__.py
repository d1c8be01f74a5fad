"""The scorecard: step functions from signal values to points, with manifest and model card."""
