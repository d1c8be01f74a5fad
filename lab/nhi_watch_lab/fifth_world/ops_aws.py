"""Catalogue of AWS calls: service:Name | r(ead) w(rite) d(ata event) | request parameters | response elements | resource type:variable."""
from nhi_watch_lab.tables import text

COMPUTE = text(__file__, "ops_aws_compute.txt")
