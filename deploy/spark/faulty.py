"""The shipped job with a fault in it: the negative control of the load test.

    spark-submit faulty.py --fault filter:50000 ...   leaves out every 50,000th record of a partition
    spark-submit faulty.py --fault filter:1/777 ...   leaves out offset 777 of partition 1
    spark-submit faulty.py --fault alter:50000 ...    adds 1 to amount_minor of every 50,000th
    spark-submit faulty.py --fault alter:1/777 ...    of that one
    spark-submit faulty.py --fault frame:skip ...     skips the frame of a Schema Registry without a look at it

Everything but the fault is bronze_payments.py, with its arguments. Never for
production.
"""

import sys

import bronze_payments
from pyspark.sql import functions as F


def chosen(text):
    """The rows that the fault hits: `N` or `PARTITION/OFFSET`."""
    partition, slash, offset = text.partition("/")
    if slash:
        return (F.col("_partition") == int(partition)) & (F.col("_offset") == int(offset))
    every = int(text)
    if every <= 0:
        raise ValueError(f"reading the fault {text}: it must be greater than 0")
    return F.col("_offset") % every == every - 1


def fault(text, column="amount_minor"):
    """The transformation of the good rows that a fault is."""
    kind, _, where = text.partition(":")
    if text == "frame:skip":
        bronze_payments.frame_reason = lambda _: F.lit(None).cast("string")
        return lambda rows: rows
    if kind == "filter":
        return lambda rows: rows.where(~chosen(where))
    if kind == "alter":
        return lambda rows: rows.withColumn(column, F.when(chosen(where), F.col(column) + 1).otherwise(F.col(column)))
    raise ValueError(f"reading the fault {text}: use filter:N, filter:P/O, alter:N, alter:P/O or frame:skip")


if __name__ == "__main__":
    at = sys.argv.index("--fault")
    sys.exit(bronze_payments.main(sys.argv[1:at] + sys.argv[at + 2 :], fault(sys.argv[at + 1])))
