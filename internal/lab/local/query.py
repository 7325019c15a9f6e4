"""Runs one SQL statement and prints its rows, each as a line of JSON."""

import json
import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
for row in spark.sql(sys.argv[1]).collect():
    print("row " + json.dumps([None if v is None else str(v) for v in row]), flush=True)
spark.stop()
