"""Asks the shipped Spark job what it makes of the cases of spark_test.go.

    go test ./generators/delivery -run TestSpark -cases /tmp
    PYTHONPATH=deploy/spark .lab/spark/venv/bin/python generators/delivery/testdata/ask_spark.py \
        /tmp/json.jsonl > generators/delivery/testdata/spark.json
    PYTHONPATH=deploy/spark .lab/spark/venv/bin/python generators/delivery/testdata/ask_spark.py \
        /tmp/avro-registry.jsonl .lab/spark/jars/lib/spark-avro_*.jar > generators/delivery/testdata/spark_avro.json

The first line has the columns and the format. A case is a name, a value in base64 (null for none) and, for records of another
version of the schema, the same record as version 1 has it. The answer is the
dead letter's reason, or else the columns that are null or differ though the
record of version 1 says otherwise; the checksum is not compared.
"""

import base64
import hashlib
import json
import os
import sys
from datetime import datetime

import bronze_payments as job
import pyspark
from pyspark.sql import SparkSession

COLUMNS = "value binary, topic string, partition int, offset bigint, timestamp timestamp"


def ask(spark, fields, values, avro):
    """The reason and the row of each value."""
    rows = [(value, "payments", 0, i, datetime(2026, 1, 1)) for i, value in enumerate(values)]
    records = spark.createDataFrame(rows, COLUMNS)
    parsed = job.observed(job.parse_avro(records, fields, avro) if avro else job.parse(records, fields))
    out = [("lost", None)] * len(values)
    for row in job.dead_letters(parsed).collect():
        out[row._offset] = (row.reason, None)
    columns = [f"unix_micros({f.name}) AS {f.name}" if f.type == "timestamp" else f.name for f in fields]  # years beyond 9999
    for row in job.good_rows(parsed, fields).selectExpr("_offset", *columns).collect():
        out[row._offset] = (None, {f.name: row[f.name] for f in fields if f.name != "checksum"})
    return out


def decode(text):
    return None if text is None else base64.b64decode(text)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        head = json.loads(next(file))
        fields = [job.Field(f["name"], f["type"]) for f in head["columns"]]
        avro = job.Avro(head["avro"], head["schema_id"]) if head["format"] == "avro-registry" else None
        cases = [json.loads(line) for line in file]
    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config(
        "spark.driver.extraClassPath", os.pathsep.join(sys.argv[2:])
    ).getOrCreate()  # fmt: skip
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.sparkContext.setLogLevel("ERROR")
    job.limit_avro(spark)
    got = ask(spark, fields, [decode(c["value"]) for c in cases], avro)
    first = ask(spark, fields, [decode(c.get("first")) for c in cases], avro)
    answers = []
    for case, (reason, row), (_, old) in zip(cases, got, first):
        value = decode(case["value"])
        answer = {"name": case["name"], "sha256": hashlib.sha256(value or b"").hexdigest()[:16], "reason": reason}
        if row is not None and old is not None:
            answer["lost"] = sorted(n for n in old if row[n] is None and old[n] is not None)
            answer["altered"] = sorted(n for n in old if row[n] is not None and row[n] != old[n])
        answers.append(answer)
    lines = ",\n    ".join(json.dumps(a) for a in answers)
    print(f'{{"spark": "{pyspark.__version__}",\n  "answers": [\n    {lines}\n]}}')
    spark.stop()


main()
