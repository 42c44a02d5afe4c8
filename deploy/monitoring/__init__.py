"""What is derived from the metrics of the code: their reference, the dashboards."""
