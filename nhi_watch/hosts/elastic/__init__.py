"""The scheduled jobs on Elasticsearch and the assets that they install."""
