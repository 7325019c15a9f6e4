"""What becomes of a record: good rows with their types, bad ones with a reason."""

import json
import os
from datetime import datetime, timezone

import bronze_payments as job
import faulty
import pytest

TOPIC_SCHEMA = "value binary, topic string, partition int, offset bigint, timestamp timestamp"
SCHEMA = os.path.join(os.path.dirname(job.__file__), "payments.schema.json")
FIELDS = [
    job.Field("event_id", "string"),
    job.Field("event_time", "timestamp"),
    job.Field("amount_minor", "bigint"),
    job.Field("risk_score", "int"),
    job.Field("synthetic", "boolean"),
]
GOOD = {"event_id": "e1", "event_time": "2026-03-29T01:30:00.123Z", "amount_minor": 9007199254740993, "risk_score": 7, "synthetic": True}


def records(spark, *values):
    """Kafka's columns, as its source gives them, from values; the offset counts up."""
    rows = []
    for offset, value in enumerate(values):
        raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
        rows.append((raw, "payments", 1, offset, datetime(2026, 3, 29, 1, 30, 1)))
    return spark.createDataFrame(rows, TOPIC_SCHEMA)


def test_good_record_becomes_a_row_with_the_types_of_the_schema(spark):
    rows = job.good_rows(job.parse(records(spark, GOOD), FIELDS), FIELDS)
    assert [(f.name, f.dataType.simpleString()) for f in rows.schema.fields] == [
        ("event_id", "string"),
        ("event_time", "timestamp"),
        ("amount_minor", "bigint"),
        ("risk_score", "int"),
        ("synthetic", "boolean"),
        ("_topic", "string"),
        ("_partition", "int"),
        ("_offset", "bigint"),
        ("_kafka_ts", "timestamp"),
        ("_ingest_ts", "timestamp"),
    ]
    row = rows.selectExpr("*", "unix_micros(event_time) AS micros").collect()[0]
    at = datetime(2026, 3, 29, 1, 30, 0, 123000, tzinfo=timezone.utc)
    assert row.micros == round(at.timestamp() * 1_000_000)
    assert (row.event_id, row.amount_minor, row.risk_score, row.synthetic) == ("e1", 9007199254740993, 7, True)
    assert (row._topic, row._partition, row._offset) == ("payments", 1, 0)
    assert row._ingest_ts is not None


def test_missing_and_null_fields_are_null_and_unknown_ones_are_left_out(spark):
    rows = job.good_rows(job.parse(records(spark, {"event_id": "e1", "risk_score": None, "new": 1}), FIELDS), FIELDS).collect()
    assert len(rows) == 1 and rows[0].amount_minor is None and rows[0].risk_score is None and "new" not in rows[0]


@pytest.mark.parametrize(
    "value, reason",
    [
        (None, "no value"),
        (b"", "not a JSON object"),
        (b"\xff\xfe\x00", "not a JSON object"),
        (b'{"event_id": "e1", "amount_minor": 1', "not a JSON object"),
        (b"[1, 2]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        ({}, "no event_id"),
        ({"event_id": None, "amount_minor": 1}, "no event_id"),
        ({"event_id": ""}, "no event_id"),
        ({**GOOD, "amount_minor": "much"}, "a field is of another type"),
        ({**GOOD, "risk_score": 2**31}, "a field is of another type"),
        ({**GOOD, "event_time": "yesterday"}, "a field is of another type"),
    ],
)
def test_bad_record_is_a_dead_letter_with_its_reason_and_bytes(spark, value, reason):
    parsed = job.parse(records(spark, GOOD, value, GOOD), FIELDS)
    letters = job.dead_letters(parsed).collect()
    raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
    assert [(r.reason, r.raw if r.raw is None else bytes(r.raw), r._offset) for r in letters] == [(reason, raw, 1)]
    assert [r._offset for r in job.good_rows(parsed, FIELDS).collect()] == [0, 2]


def test_the_shipped_schema_parses_a_payment(spark):
    fields = job.load_schema(SCHEMA)
    assert fields[0] == job.Field("event_id", "string") and fields[-1] == job.Field("checksum", "bigint")
    assert len(fields) >= 20
    values = {"string": "x", "int": 1, "bigint": 2, "boolean": True, "timestamp": "2026-01-01T00:00:00.000Z"}
    row = job.good_rows(job.parse(records(spark, {f.name: values[f.type] for f in fields}), fields), fields).collect()[0]
    assert None not in [row[f.name] for f in fields]


def test_the_partition_column_can_have_another_name(spark):
    rows = job.good_rows(job.parse(records(spark, GOOD), FIELDS), FIELDS, "_kafka_partition")
    assert "_kafka_partition" in rows.columns and "_partition" not in rows.columns


@pytest.mark.parametrize(
    "spec, amounts",
    [
        ("filter:2", [10, 12, 14]),
        ("filter:1/3", [10, 11, 12, 14]),
        ("filter:0/3", [10, 11, 12, 13, 14]),
        ("alter:3", [10, 11, 13, 13, 14]),
        ("alter:1/0", [11, 11, 12, 13, 14]),
    ],
)
def test_a_fault_hits_the_chosen_records_only(spark, spec, amounts):
    parsed = job.parse(records(spark, *[{**GOOD, "amount_minor": 10 + i} for i in range(5)]), FIELDS)
    rows = faulty.fault(spec)(job.good_rows(parsed, FIELDS))
    assert [r.amount_minor for r in rows.orderBy("_offset").collect()] == amounts
    assert rows.schema == job.good_rows(parsed, FIELDS).schema


@pytest.mark.parametrize("spec", ["", "lose:2", "filter:0", "filter:x", "alter:"])
def test_an_unknown_fault_is_refused(spark, spec):
    with pytest.raises(ValueError):
        faulty.fault(spec)(job.good_rows(job.parse(records(spark, GOOD), FIELDS), FIELDS))


def test_each_record_is_parsed_once(spark):
    parsed = job.observed(job.parse(records(spark, GOOD), FIELDS))
    for rows in (job.good_rows(parsed, FIELDS), job.dead_letters(parsed)):
        plan = rows._jdf.queryExecution().optimizedPlan().toString()
        assert plan.count("from_json") <= 1, plan
    # What the observation is for: without it the filter drags the parse along.
    plan = job.dead_letters(job.parse(records(spark, GOOD), FIELDS))._jdf.queryExecution().optimizedPlan().toString()
    assert plan.count("from_json") > 1, plan
