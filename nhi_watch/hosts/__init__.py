"""The three hosts: plain files, Splunk, Elasticsearch."""
