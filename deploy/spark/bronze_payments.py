"""Kafka to a bronze Iceberg table, each record exactly once.

What it is. A Structured Streaming job (Spark 4.1, Iceberg 1.11) for records in
JSON, or in Avro behind the frame of a Schema Registry. The record's fields come
from schema files, so it knows no payment. It runs unchanged under spark-submit
on one machine and on Kubernetes: the catalog, the store and the resources are
Spark's configuration, the rest are arguments or environment variables.

How a record flows. Kafka -> parse() -> good rows: `toTable` of the bronze table,
with _topic, _partition, _offset, _kafka_ts, _ingest_ts beside its fields. Bad
ones (not a record of the schema, or no event_id) are counted by observe() and
go to the dead-letter table with the reason and the raw bytes.

Why two queries. One streaming query commits one table exactly once (Iceberg
skips an epoch that the query already committed; foreachBatch has no such
guard), so the dead letters are a second query with a checkpoint of its own,
reading the same topic. It would cost a second parse of everything, so it only
runs, up to the end of the topic, when the first query has counted a bad record,
a minute after it was resumed from a checkpoint (a count may have been lost with
the process), and every --dead-letter-interval. The count only says *when*; what
is written is decided by its own checkpoint, so nothing is lost by a count that
was not seen.

What it does not do: ask a Schema Registry (the schema and its id are given),
schema changes while it runs, maintenance of tables.
"""

import argparse
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from dataclasses import dataclass
from functools import reduce

from py4j.protocol import Py4JNetworkError
from pyspark.errors import AnalysisException
from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.avro.functions import from_avro
from pyspark.sql.streaming import StreamingQueryListener

log = logging.getLogger("bronze")

ENVIRONMENT = "LAKEPROOF_JOB_"  # + the argument's name in capitals
TYPES = {"string", "int", "bigint", "boolean", "timestamp"}
FORMATS = ["json", "avro-registry"]
CORRUPT = "_corrupt"
END = "_end"  # the field that ends every record of Avro, see parse_avro
LONGEST_TEXT = 16 << 20  # bytes; more than a broker takes in a record
PROPERTIES = {
    "commit.retry.num-retries": "10",
    "commit.retry.max-wait-ms": "10000",
    "write.distribution-mode": "none",  # a file for each Kafka partition and day of a batch, no shuffle
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
}


def meta_columns(partition):
    """Where a row comes from: name, type and source of each column."""
    return [
        ("_topic", "string", F.col("topic")),
        (partition, "int", F.col("partition")),
        ("_offset", "bigint", F.col("offset")),
        ("_kafka_ts", "timestamp", F.col("timestamp")),
        ("_ingest_ts", "timestamp", F.current_timestamp()),
    ]


# --- settings ---------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    name: str
    type: str


@dataclass(frozen=True)
class Avro:
    schema: str  # of the writer, in JSON
    id: int  # the schema's number in the frame


def parse_args(argv, environ=os.environ) -> argparse.Namespace:
    """Settings from arguments, else environment, else defaults."""
    parser = argparse.ArgumentParser(
        description="Kafka to a bronze Iceberg table, exactly once.",
        epilog=f"Every argument can be given as {ENVIRONMENT}<NAME> in the environment, for example {ENVIRONMENT}TOPIC.",
    )

    def add(name, default=None, text="", **more):
        given = environ.get(ENVIRONMENT + name.upper().replace("-", "_"))
        parser.add_argument("--" + name, default=default if given is None else more.get("type", str)(given), help=text, **more)

    here = os.path.dirname(os.path.abspath(__file__))
    add("brokers", "127.0.0.1:9092", "Kafka's bootstrap servers")
    add("kafka-options", "", "a file like Kafka's client.properties, for security.protocol and so on")
    add("topic", "payments", "the topic to read")
    add("query", "bronze", "the query's name")
    add("catalog", "lab", "the catalog's name in Spark's configuration")
    add("table", "bronze.payments", "the table for good records, without the catalog")
    add("dead-letter-table", "", "the table for bad records; default TABLE_dead_letter")
    add("dead-letter-interval", 600.0, "seconds between two runs of the dead-letter query when nothing bad was seen", type=float)
    add("checkpoint", "", "where the query's progress is kept, for example s3a://datalake/checkpoints/bronze; needed")
    add("schema", os.path.join(here, "payments.schema.json"), "the record's schema, a JSON file of field names and types")
    add("format", "json", f"how records are written: {' or '.join(FORMATS)}, which is Avro behind the frame of a Schema Registry")
    add("avro-schema", os.path.join(here, "payments.avsc"), "the writer's schema of avro-registry, a file as the registry has it")
    add("schema-id", 0, "the id that the registry gave that schema; needed with avro-registry", type=int)
    add("partition-by", "event_time", "the timestamp whose days partition the table")
    add("partition-column", "_partition", "the column of the Kafka partition; Spark itself cannot read one named _partition back")
    add("trigger", "5 seconds", "the time between two batches")
    add("max-offsets-per-trigger", 500_000, "records in one batch at most", type=int)
    add("starting-offsets", "earliest", "where a query without a checkpoint begins")
    add("max-restarts", 60, "restarts of the query without a batch in between before the job gives up", type=int)
    add("stop-timeout", 30.0, "seconds to wait for the batch under way when asked to stop", type=float)
    add("ready-file", "", "a file to make once the query runs, for probes")
    add("progress-url", "", "where to send each batch's progress, such as http://lakeproof:9000/v1/spark/progress; default nowhere")
    add("progress-token-file", "", "a file with the bearer token for it")
    settings = parser.parse_args(argv)
    if not settings.checkpoint:
        parser.error("--checkpoint is needed: without it the job would start again from the beginning each time")
    if settings.max_offsets_per_trigger <= 0:
        parser.error("--max-offsets-per-trigger must be greater than 0")
    if settings.format not in FORMATS:
        parser.error(f"--format {settings.format}: use {' or '.join(FORMATS)}")
    if settings.format == "avro-registry" and not 0 < settings.schema_id < 1 << 32:
        parser.error("--schema-id is needed with avro-registry: the id of the schema in the records' frame")
    settings.dead_letter_table = settings.dead_letter_table or settings.table + "_dead_letter"
    return settings


def load_schema(path) -> list[Field]:
    """The record's fields from the schema file; event_id must be among them."""
    with open(path, encoding="utf-8") as file:
        fields = [Field(f["name"], f["type"]) for f in json.load(file)]
    unknown = {f.type for f in fields} - TYPES
    if unknown:
        raise ValueError(f"reading the schema {path}: unknown types {sorted(unknown)}; use {sorted(TYPES)}")
    if "event_id" not in {f.name for f in fields}:
        raise ValueError(f"reading the schema {path}: there is no field event_id")
    return fields


def column_type(kind):
    """The type of a column that holds an Avro type, perhaps in a union with null;
    None for one that the job has no column for."""
    if isinstance(kind, list):
        rest = [k for k in kind if k != "null"]
        return column_type(rest[0]) if len(rest) == 1 else None
    name, logical = (kind["type"], kind.get("logicalType")) if isinstance(kind, dict) else (kind, None)
    if name == "long" and logical in ("timestamp-millis", "timestamp-micros"):
        return "timestamp"
    if name in ("int", "long") and logical:
        return None
    return {"string": "string", "int": "int", "long": "bigint", "boolean": "boolean"}.get(name) if isinstance(name, str) else None


def load_avro(settings, fields) -> Avro | None:
    """The writer's schema with its id; None where records are JSON."""
    if settings.format != "avro-registry":
        return None
    path = settings.avro_schema
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise ValueError(f"reading the Avro schema {path}: it is no record")
    there = {f["name"]: column_type(f["type"]) for f in schema["fields"]}
    if END in there:
        raise ValueError(f"reading the Avro schema {path}: a field is called {END}")
    for f in fields:
        if there.get(f.name) != f.type:
            raise ValueError(f"reading the Avro schema {path}: field {f.name} must be {f.type}, as in {settings.schema}, not {there.get(f.name)}")
    return Avro(json.dumps(schema), settings.schema_id)


def load_kafka_options(path) -> dict[str, str]:
    """Kafka client properties from a file, as options of the source."""
    options = {}
    if path:
        with open(path, encoding="utf-8") as file:
            for line in file:
                name, equals, value = line.strip().partition("=")
                if equals and not name.startswith("#"):
                    options["kafka." + name.strip()] = value.strip()
    return options


# --- records ----------------------------------------------------------------


def read_topic(spark, settings) -> DataFrame:
    return (
        spark.readStream.format("kafka")
        .options(**load_kafka_options(settings.kafka_options))
        .option("kafka.bootstrap.servers", settings.brokers)
        .option("subscribe", settings.topic)
        .option("startingOffsets", settings.starting_offsets)
        .option("maxOffsetsPerTrigger", settings.max_offsets_per_trigger)
        .option("failOnDataLoss", "true")
        .option("fetchOffset.numRetries", "30")
        .option("fetchOffset.retryIntervalMs", "1000")
        .load()
    )


def parse(records: DataFrame, fields: list[Field]) -> DataFrame:
    """Adds `row`, the parsed record, and `reason`, null for a good one."""
    struct = ", ".join(f"`{f.name}` {f.type}" for f in fields) + f", `{CORRUPT}` string"
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": CORRUPT}
    corrupt, event_id = F.col(f"row.{CORRUPT}").isNotNull(), F.col("row.event_id")
    has_id = event_id.isNotNull() & (event_id != "")
    return records.withColumn("row", F.from_json(F.col("value").cast("string"), struct, options)).withColumn(
        "reason",
        F.when(F.col("value").isNull(), "no value")
        .when(corrupt & has_id, "a field is of another type")
        .when(corrupt | F.col("row").isNull(), "not a JSON object")
        .when(~F.coalesce(has_id, F.lit(False)), "no event_id"),
    )


def frame_reason(schema_id):
    """What is wrong with a value's frame: a zero byte, then the schema's id in
    four. Null for nothing."""
    value = F.col("value")
    return (
        F.when(value.isNull(), "no value")
        .when((F.length(value) < 5) | (F.substring(value, 1, 1) != F.lit(b"\0")), "no frame of a Schema Registry")
        .when(F.substring(value, 1, 5) != F.lit(b"\0" + schema_id.to_bytes(4, "big")), "unknown schema id")
    )


def reading_schema(schema, fields):
    """The writer's schema, but for what from_avro would take without a word: an
    int is read as a long, because of more than 32 bits it drops some, and a field
    END follows the last, because it takes no notice of what stands behind."""
    ints = {f.name for f in fields if f.type == "int"}

    def wide(kind):
        if isinstance(kind, list):
            return [wide(k) for k in kind]
        return "long" if kind in ("int", {"type": "int"}) else kind

    schema = json.loads(schema)
    schema["fields"] = [{**f, "type": wide(f["type"])} if f["name"] in ints else f for f in schema["fields"]]
    schema["fields"].append({"name": END, "type": {"type": "fixed", "name": END, "size": 8}})
    return json.dumps(schema)


def all_of(conditions):
    """Whether no condition is false; null counts as true."""
    return reduce(lambda a, b: a & b, (F.coalesce(c, F.lit(True)) for c in conditions), F.lit(True))


def parse_avro(records: DataFrame, fields: list[Field], avro: Avro) -> DataFrame:
    """What parse() does, for Avro behind the frame of a Schema Registry.

    Eight bytes are put behind the record, which END must give back: a hash of it,
    that nothing else is the same by chance. Texts that are not UTF-8, which
    from_avro passes on, not every reader of the table can read."""
    body = F.expr("substring(value, 6)")
    end = F.unhex(F.lpad(F.hex(F.xxhash64(body)), 16, "0"))
    row = from_avro(F.concat(body, F.col(END)), reading_schema(avro.schema, fields), {"mode": "PERMISSIVE"})
    texts = all_of(F.is_valid_utf8(F.col("row")[f.name]) for f in fields if f.type == "string")
    ints = all_of(F.col("row")[f.name].between(-(2**31), 2**31 - 1) for f in fields if f.type == "int")
    event_id = F.col("row.event_id")
    wrong = (
        F.when(F.col("row")[END].isNull(), "not an Avro record of the schema")
        .when(F.col("row")[END] != F.col(END), "something behind the record")
        .when(~ints, "a number is out of range")
        .when(~texts, "a text is not UTF-8")
        .when(event_id.isNull() | (event_id == ""), "no event_id")
    )
    return records.withColumn(END, end).withColumn("row", row).withColumn("reason", F.coalesce(frame_reason(avro.id), wrong))


def limit_avro(spark):
    """Ten bytes can say that a text of 2 GiB follows, and Avro makes room for it
    before it looks: the JVM would end. This is for the driver's; executors need
    the property in spark.executor.extraJavaOptions."""
    system, name = spark.sparkContext._jvm.java.lang.System, "org.apache.avro.limits.string.maxLength"
    if system.getProperty(name) is None:
        system.setProperty(name, str(LONGEST_TEXT))


def good_rows(parsed: DataFrame, fields: list[Field], partition="_partition") -> DataFrame:
    columns = [F.col("row")[f.name].try_cast(f.type).alias(f.name) for f in fields]
    meta = [source.alias(name) for name, _, source in meta_columns(partition)]
    return parsed.where(F.col("reason").isNull()).select(*columns, *meta)


def dead_letters(parsed: DataFrame, partition="_partition") -> DataFrame:
    meta = [source.alias(name) for name, _, source in meta_columns(partition)]
    return parsed.where(F.col("reason").isNotNull()).select("reason", F.col("value").alias("raw"), *meta)


def create_table_sql(name, columns, day) -> str:
    listed = ", ".join(f"`{column}` {kind}" for column, kind in columns)
    properties = ", ".join(f"'{k}' = '{v}'" for k, v in sorted(PROPERTIES.items()))
    return f"CREATE TABLE IF NOT EXISTS {name} ({listed}) USING iceberg PARTITIONED BY (days(`{day}`)) TBLPROPERTIES ({properties})"


def create_tables(spark, settings, fields):
    meta = [(name, kind) for name, kind, _ in meta_columns(settings.partition_column)]
    for table, columns, day in [
        (settings.table, [(f.name, f.type) for f in fields] + meta, settings.partition_by),
        (settings.dead_letter_table, [("reason", "string"), ("raw", "binary")] + meta, "_ingest_ts"),
    ]:
        name = f"{settings.catalog}.{table}"
        spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {name.rpartition('.')[0]}")
        spark.sql(create_table_sql(name, columns, day))


# --- queries ----------------------------------------------------------------


def start_query(spark, settings, rows, name, table, checkpoint, trigger):
    spark.sparkContext.setLocalProperty("spark.scheduler.pool", name)
    return (
        rows.writeStream.format("iceberg")
        .outputMode("append")
        .queryName(name)
        .trigger(**trigger)
        .option("checkpointLocation", checkpoint)
        .option("fanout-enabled", "true")
        .toTable(f"{settings.catalog}.{table}")
    )


def observed(parsed: DataFrame) -> DataFrame:
    """Counts records and bad ones. It is also what keeps the optimizer from
    pushing the filter on `reason` below the parse, where from_json would be
    evaluated once for each time that `reason` mentions it: eight times, and
    from_avro more often."""
    return parsed.observe("records", F.count(F.lit(1)).alias("read"), F.count("reason").alias("bad"))


def read(spark, settings, fields):
    records = read_topic(spark, settings)
    return observed(parse(records, fields) if settings.avro is None else parse_avro(records, fields, settings.avro))


def start_bronze(spark, settings, fields, transform):
    rows = transform(good_rows(read(spark, settings, fields), fields, settings.partition_column))
    return start_query(spark, settings, rows, settings.query, settings.table, settings.checkpoint, {"processingTime": settings.trigger})


def start_dead_letters(spark, settings, fields):
    rows = dead_letters(read(spark, settings, fields), settings.partition_column)
    checkpoint = settings.checkpoint.rstrip("/") + "_dead_letter"
    name = settings.query + "_dead_letter"
    return start_query(spark, settings, rows, name, settings.dead_letter_table, checkpoint, {"availableNow": True})


class Progress(StreamingQueryListener):
    """Counts what observe() saw in the bronze query's batches."""

    def __init__(self, name):
        self.name, self.batches, self.read, self.bad = name, 0, 0, 0
        self.resumed = False  # whether the query had batches before this process

    def onQueryStarted(self, event):
        pass

    def onQueryIdle(self, event):
        pass

    def onQueryTerminated(self, event):
        pass

    def onQueryProgress(self, event):
        progress = event.progress
        if progress.name != self.name:
            return
        self.resumed = self.resumed or (self.batches == 0 and progress.batchId > 0)
        self.batches += 1
        seen = progress.observedMetrics.get("records")
        if seen is None or not seen["read"]:
            return
        self.read, self.bad = self.read + seen["read"], self.bad + seen["bad"]
        log.info(
            "batch=%d records=%d bad=%d seconds=%.3f total_records=%d total_bad=%d",
            progress.batchId, seen["read"], seen["bad"], progress.batchDuration / 1000, self.read, self.bad,
        )  # fmt: skip


class DeadLetterRuns:
    """Decides when the dead-letter query runs, and runs at most one."""

    def __init__(self, interval, now):
        self.interval, self.due = interval, now + interval
        self.bad, self.resumed, self.query = 0, False, None

    def tick(self, now, progress, start):
        """One look at the bronze query's progress; `start` starts the query."""
        if self.query is not None:
            if self.query.isActive:
                return
            error, self.query = self.query.exception(), None
            if error is not None:
                log.warning("the dead-letter query ended, trying again in 10 s: %s", first_line(error))
                self.due = now + 10
        if progress.resumed and not self.resumed:
            self.resumed, self.due = True, min(self.due, now + 60)
        if progress.bad > self.bad:
            self.bad, self.due = progress.bad, min(self.due, now)
        if now >= self.due:
            self.due = now + self.interval
            try:
                self.query = start()
            except Py4JNetworkError:
                raise
            except Exception as error:
                log.warning("starting the dead-letter query, trying again in 10 s: %s", first_line(error))
                self.due = now + 10


# --- life -------------------------------------------------------------------


def send_progress(spark, settings):
    """Sends the queries' progress where --progress-url says; the listener, or
    None. The job does not depend on it."""
    if not settings.progress_url:
        return None
    try:
        from progress_listener import ProgressListener

        token = ""
        if settings.progress_token_file:
            with open(settings.progress_token_file, encoding="utf-8") as file:
                token = file.read().strip()
        listener = ProgressListener(settings.progress_url, spark.sparkContext.appName, token)
        spark.streams.addListener(listener)
    except (ImportError, OSError) as error:
        log.warning("progress is not sent: %s", error)
        return None
    return listener


class StopOnSignal:
    """SIGTERM and SIGINT of the JVM, which on Kubernetes is who gets them."""

    def __init__(self, stop):
        self.stop = stop

    def handle(self, _):
        self.stop.set()

    class Java:
        implements = ["sun.misc.SignalHandler"]


def stop_on_signals(spark, stop):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    gateway = spark.sparkContext._gateway
    ensure_callback_server_started(gateway)
    for name in ("TERM", "INT"):
        gateway.jvm.sun.misc.Signal.handle(gateway.jvm.sun.misc.Signal(name), StopOnSignal(stop))


def first_line(error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by")]
    return " ".join((lines[:1] or [repr(error)]) + causes[-1:])[:500]


def permanent(error) -> bool:
    """Whether another attempt would end in the same way."""
    return isinstance(error, AnalysisException) or re.search(r"KAFKA_DATA_LOSS|failOnDataLoss", str(error)) is not None


def finish(query, timeout):
    """Stops the query between two batches, or after the timeout in one."""
    until = time.monotonic() + timeout
    while query.isActive and query.status["isTriggerActive"] and time.monotonic() < until:
        time.sleep(0.05)
    query.stop()


def follow(spark, settings, fields, transform, stop, progress, runs):
    """Runs the query once: returns when asked to stop, raises when it fails."""
    create_tables(spark, settings, fields)
    query = start_bronze(spark, settings, fields, transform)
    log.info("query=%s id=%s run=%s table=%s started", query.name, query.id, query.runId, settings.table)
    if settings.ready_file:
        with open(settings.ready_file, "w", encoding="utf-8") as file:
            file.write(f"{query.id}\n")
    while query.isActive and not stop.is_set():
        runs.tick(time.monotonic(), progress, lambda: start_dead_letters(spark, settings, fields))
        stop.wait(0.2)
    if not stop.is_set():
        raise query.exception() or RuntimeError("the query ended without a reason")
    log.info("stopping after the batch under way")
    finish(query, settings.stop_timeout)
    if runs.query is not None:
        runs.query.stop()  # its next run goes on from its checkpoint


def supervise(spark, settings, fields, transform, stop):
    """Restarts a failed query from its checkpoint, with pauses, until it gets
    on again; gives up on errors that stay, and after --max-restarts."""
    progress = Progress(settings.query)
    spark.streams.addListener(progress)
    runs = DeadLetterRuns(settings.dead_letter_interval, time.monotonic())
    failures, batches = 0, 0
    while not stop.is_set():
        try:
            follow(spark, settings, fields, transform, stop, progress, runs)
        except Py4JNetworkError:
            raise  # the JVM is gone: nothing to restart in
        except Exception as error:
            if stop.is_set():
                break
            if progress.batches > batches:
                failures, batches = 0, progress.batches
            failures += 1
            if permanent(error) or failures > settings.max_restarts:
                log.error("giving up after %d failures in a row: %s", failures, first_line(error))
                raise
            pause = min(2.0 ** (failures - 1), 5.0)
            log.warning("the query failed (%d in a row), again in %.0f s: %s", failures, pause, first_line(error))
            stop.wait(pause)


def main(argv=None, transform=lambda rows: rows) -> int:
    """Runs the job. `transform` changes the good rows: only tests give one."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    log.setLevel(logging.INFO)
    settings = parse_args(argv)
    fields = load_schema(settings.schema)
    settings.avro = load_avro(settings, fields)
    spark = SparkSession.builder.getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    if settings.avro is not None:
        limit_avro(spark)
    stop = threading.Event()
    stop_on_signals(spark, stop)
    listener = send_progress(spark, settings)
    try:
        supervise(spark, settings, fields, transform, stop)
    except Py4JNetworkError:
        log.error("the JVM has ended")
        return 1
    except Exception as error:
        log.error("ended: %s", first_line(error))
        return 1
    finally:
        if settings.ready_file and os.path.exists(settings.ready_file):
            os.remove(settings.ready_file)
        if listener is not None:
            listener.close()
    spark.stop()
    log.info("stopped cleanly")
    return 0


if __name__ == "__main__":
    sys.exit(main())
