"""What becomes of Avro behind the frame of a Schema Registry."""

import json
import struct

import bronze_payments as job
import faulty
import pytest
from pyspark.sql import functions as F
from test_records import FIELDS, GOOD, records

ID = 7
SCHEMA = {
    "type": "record",
    "name": "Payment",
    "fields": [
        {"name": "event_id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "event_time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "amount_minor", "type": "long"},
        {"name": "risk_score", "type": ["null", "int"], "default": None},
        {"name": "synthetic", "type": "boolean"},
    ],
}
AVRO = job.Avro(json.dumps(SCHEMA), ID)
MILLIS = 1774747800123


def number(n):
    """A zigzag varint."""
    n, out = (n << 1) ^ (n >> 63), bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


def encode(event_id=b"e1", millis=MILLIS, amount=GOOD["amount_minor"], risk=number(7), synthetic=b"\x01"):
    branch = b"\x00" if risk is None else b"\x02" + risk
    return number(len(event_id)) + event_id + number(millis) + number(amount) + branch + synthetic


def framed(body, schema_id=ID, magic=0):
    return struct.pack(">BI", magic, schema_id) + body


def parsed(spark, *values):
    return job.observed(job.parse_avro(records(spark, *values), FIELDS, AVRO))


def test_good_record_becomes_the_row_that_its_json_becomes(avro_spark):
    got = job.good_rows(parsed(avro_spark, framed(encode())), FIELDS)
    want = job.good_rows(job.parse(records(avro_spark, GOOD), FIELDS), FIELDS)
    assert got.schema == want.schema
    assert got.drop("_ingest_ts").collect() == want.drop("_ingest_ts").collect()


def test_whole_range_of_an_int(avro_spark):
    values = [framed(encode(risk=number(n))) for n in (-(2**31), 2**31 - 1)]
    rows = job.good_rows(parsed(avro_spark, *values), FIELDS).orderBy("_offset").collect()
    assert [r.risk_score for r in rows] == [-(2**31), 2**31 - 1]


def test_null_is_null_and_numbers_may_be_longer_than_needed(avro_spark):
    wide = framed(b"\x84\x00e1" + encode()[3:])  # the specification does not ask for the shortest
    rows = job.good_rows(parsed(avro_spark, framed(encode(risk=None)), wide), FIELDS).orderBy("_offset").collect()
    assert [(r.event_id, r.risk_score) for r in rows] == [("e1", None), ("e1", 7)]


GOOD_BODY = encode()
BEHIND = "something behind the record"
NO_RECORD = "not an Avro record of the schema"
NO_FRAME = "no frame of a Schema Registry"


BAD = [
    (None, "no value"),
    (b"", NO_FRAME),
    (framed(b"")[:4], NO_FRAME),
    (GOOD_BODY, NO_FRAME),
    (framed(GOOD_BODY, magic=1), NO_FRAME),
    (b"\r\n<!DOCTYPE html>", NO_FRAME),
    (framed(GOOD_BODY, schema_id=8), "unknown schema id"),
    (framed(GOOD_BODY, schema_id=2**32 - 1), "unknown schema id"),
    (framed(b""), NO_RECORD),
    *[(framed(GOOD_BODY[:n]), NO_RECORD) for n in range(1, len(GOOD_BODY))],
    (framed(GOOD_BODY + b"\x00"), BEHIND),
    (framed(GOOD_BODY + b"eight on"), BEHIND),
    (framed(GOOD_BODY + GOOD_BODY), BEHIND),
    (framed(number(-5) + GOOD_BODY[1:]), NO_RECORD),
    (framed(number(64 << 10) + b"7" * (64 << 10)), NO_RECORD),
    (framed(number(2**31 - 20) + b"a"), NO_RECORD),
    (framed(number(2**30) + b"a"), NO_RECORD),
    (framed(number(2**62) + b"a"), NO_RECORD),
    (framed(encode(millis=2**63 - 9)), NO_RECORD),
    (framed(encode(risk=number(2**31))), "a number is out of range"),
    (framed(encode(risk=number(-(2**31) - 1))), "a number is out of range"),
    (framed(encode(risk=b"\xff" * 10 + b"\x7f")), NO_RECORD),
    (framed(GOOD_BODY[:-3] + b"\x04\x0e\x01"), NO_RECORD),  # there is no branch 2
    (framed(encode(event_id=b"e\xff1")), "a text is not UTF-8"),
    (framed(encode(event_id=b"")), "no event_id"),
]


def test_bad_record_is_a_dead_letter_with_its_reason_and_bytes(avro_spark):
    good = framed(GOOD_BODY)
    got = parsed(avro_spark, good, *[value for value, _ in BAD], good)
    letters = job.dead_letters(got).orderBy("_offset").collect()
    for (value, reason), letter in zip(BAD, letters, strict=True):
        assert (letter.reason, letter.raw if letter.raw is None else bytes(letter.raw)) == (reason, value)
    assert sorted(r._offset for r in job.good_rows(got, FIELDS).collect()) == [0, len(BAD) + 1]


def test_what_spark_alone_would_take(avro_spark):
    """The reason for reading_schema() and for the look at texts: if this fails,
    Spark has become stricter and they can go."""
    from pyspark.sql.avro.functions import from_avro

    values = [GOOD_BODY + b"\x00", GOOD_BODY + GOOD_BODY, encode(event_id=b"e\xff1"), encode(risk=number(2**31))]
    rows = records(avro_spark, *values).select(from_avro("value", AVRO.schema, {"mode": "PERMISSIVE"}).alias("row"))
    assert rows.where(F.col("row.amount_minor").isNotNull()).count() == 4


def test_what_avro_itself_takes_and_nobody_notices(avro_spark):
    """README.md says so; if this fails, it is wrong."""
    long = number(GOOD["amount_minor"])
    wide = bytes(b | 0x80 for b in long) + b"\x80" * (9 - len(long)) + b"\x7e"
    body = encode()
    values = [encode(synthetic=b"\x07"), body[: body.index(long)] + wide + body[body.index(long) + len(long) :]]
    rows = job.good_rows(parsed(avro_spark, *map(framed, values)), FIELDS).orderBy("_offset").collect()
    assert [(r.synthetic, r.amount_minor) for r in rows] == [(False, GOOD["amount_minor"]), (True, GOOD["amount_minor"])]


def test_each_record_is_read_once(avro_spark):
    for rows in (job.good_rows(parsed(avro_spark, GOOD), FIELDS), job.dead_letters(parsed(avro_spark, GOOD))):
        plan = rows._jdf.queryExecution().optimizedPlan().toString()
        assert plan.count("from_avro") + plan.count("avrodatatocatalyst") <= 1, plan


def test_a_reader_that_skips_the_frame_takes_what_it_should_not(avro_spark, monkeypatch):
    monkeypatch.setattr(job, "frame_reason", job.frame_reason)  # put back at the end
    unchanged = faulty.fault("frame:skip")
    values = [framed(GOOD_BODY, magic=9), framed(GOOD_BODY, schema_id=8), None, b""]
    rows = unchanged(job.good_rows(parsed(avro_spark, *values), FIELDS))
    assert [r._offset for r in rows.orderBy("_offset").collect()] == [0, 1]


def test_the_shipped_schemas_fit(avro_spark):
    settings = job.parse_args(["--checkpoint", "c", "--format", "avro-registry", "--schema-id", "3"], {})
    fields = job.load_schema(settings.schema)
    avro = job.load_avro(settings, fields)
    assert avro.id == 3
    rows = job.good_rows(job.parse_avro(records(avro_spark, b""), fields, avro), fields)
    want = {"string": "string", "int": "int", "bigint": "bigint", "boolean": "boolean", "timestamp": "timestamp"}
    assert [(c.name, c.dataType.simpleString()) for c in rows.schema.fields][: len(fields)] == [(f.name, want[f.type]) for f in fields]


@pytest.mark.parametrize(
    "kind, column",
    [
        ("string", "string"),
        ({"type": "string", "logicalType": "uuid"}, "string"),
        (["null", {"type": "long", "logicalType": "timestamp-micros"}], "timestamp"),
        ({"type": "long"}, "bigint"),
        ({"type": "int", "logicalType": "date"}, None),
        (["null", "int", "long"], None),
        ({"type": {"type": "array", "items": "int"}}, None),
        ("double", None),
    ],
)
def test_column_of_an_avro_type(kind, column):
    assert job.column_type(kind) == column


def test_settings(tmp_path, capsys):
    assert job.parse_args(["--checkpoint", "c"], {}).format == "json"
    assert job.load_avro(job.parse_args(["--checkpoint", "c"], {}), FIELDS) is None
    environ = {"LAKEPROOF_JOB_FORMAT": "avro-registry", "LAKEPROOF_JOB_SCHEMA_ID": "4294967295"}
    assert job.parse_args(["--checkpoint", "c"], environ).schema_id == 2**32 - 1
    for argv, complaint in [
        ("--format avro", "use json or avro-registry"),
        ("--format avro-registry", "--schema-id is needed"),
        ("--format avro-registry --schema-id -1", "--schema-id is needed"),
    ]:
        with pytest.raises(SystemExit):
            job.parse_args(["--checkpoint", "c", *argv.split()], {})
        assert complaint in capsys.readouterr().err

    path = tmp_path / "schema.avsc"
    settings = job.parse_args(["--checkpoint", "c", "--format", "avro-registry", "--schema-id", "1", "--avro-schema", str(path)], {})
    end = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "_end", "type": "int"}]}
    for schema, complaint in [
        ("string", "no record"),
        (end, "called _end"),
        ({**SCHEMA, "fields": SCHEMA["fields"][1:]}, "field event_id must be string.*not None"),
        ({**SCHEMA, "fields": [*SCHEMA["fields"][:2], {"name": "amount_minor", "type": ["null", "int"]}]}, "amount_minor must be bigint.*not int"),
    ]:
        path.write_text(json.dumps(schema))
        with pytest.raises(ValueError, match=complaint):
            job.load_avro(settings, FIELDS)
