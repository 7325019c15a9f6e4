"""Settings, tables and the decisions of the job, without a cluster."""

import json
import sys
from types import SimpleNamespace

import bronze_payments as job
import pytest
from pyspark.errors import AnalysisException


def test_defaults():
    settings = job.parse_args(["--checkpoint", "file:///c"], {})
    assert (settings.brokers, settings.topic, settings.query) == ("127.0.0.1:9092", "payments", "bronze")
    assert (settings.catalog, settings.table, settings.dead_letter_table) == ("lab", "bronze.payments", "bronze.payments_dead_letter")
    assert (settings.trigger, settings.max_offsets_per_trigger) == ("5 seconds", 500_000)
    assert settings.starting_offsets == "earliest" and settings.schema.endswith("payments.schema.json")


def test_arguments_win_over_environment_and_environment_over_defaults():
    environ = {"LAKEPROOF_JOB_TOPIC": "orders", "LAKEPROOF_JOB_TABLE": "bronze.orders", "LAKEPROOF_JOB_MAX_OFFSETS_PER_TRIGGER": "7",
               "LAKEPROOF_JOB_CHECKPOINT": "s3a://b/c"}  # fmt: skip
    settings = job.parse_args(["--topic", "trades"], environ)
    assert (settings.topic, settings.table, settings.max_offsets_per_trigger) == ("trades", "bronze.orders", 7)
    assert (settings.checkpoint, settings.dead_letter_table) == ("s3a://b/c", "bronze.orders_dead_letter")


@pytest.mark.parametrize("argv", [[], ["--checkpoint", "c", "--max-offsets-per-trigger", "0"], ["--checkpoint", "c", "--what", "1"]])
def test_wrong_arguments_end_with_usage(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        job.parse_args(argv, {})
    assert ended.value.code == 2 and "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content, complaint",
    [([{"name": "event_id", "type": "uuid"}], "unknown types"), ([{"name": "id", "type": "string"}], "no field event_id")],
)
def test_a_schema_that_cannot_work_is_refused(tmp_path, content, complaint):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=complaint):
        job.load_schema(path)


def test_kafka_options_come_from_a_properties_file(tmp_path):
    path = tmp_path / "client.properties"
    path.write_text("# login\nsecurity.protocol=SASL_SSL\n\nsasl.jaas.config=a required user=\"x\";\n")
    assert job.load_kafka_options(path) == {"kafka.security.protocol": "SASL_SSL", "kafka.sasl.jaas.config": 'a required user="x";'}
    assert job.load_kafka_options("") == {}


def test_progress_is_sent_only_when_asked_for_and_the_job_does_not_depend_on_it(tmp_path, monkeypatch):
    spark = SimpleNamespace(sparkContext=SimpleNamespace(appName="pay"), streams=SimpleNamespace(addListener=lambda _: None))
    assert job.send_progress(spark, job.parse_args(["--checkpoint", "c"], {})) is None
    token = tmp_path / "token"
    token.write_text("secret\n")
    settings = job.parse_args(["--checkpoint", "c", "--progress-url", "http://127.0.0.1:9/", "--progress-token-file", str(token)], {})
    listener = job.send_progress(spark, settings)
    listener.close(0)
    assert (listener.app, listener.headers["Authorization"]) == ("pay", "Bearer secret")
    settings.progress_token_file = str(tmp_path / "absent")
    assert job.send_progress(spark, settings) is None
    settings.progress_token_file = ""
    monkeypatch.setitem(sys.modules, "progress_listener", None)
    assert job.send_progress(spark, settings) is None


def test_table_statement():
    sql = job.create_table_sql("lab.bronze.t", [("event_id", "string"), ("at", "timestamp")], "at")
    assert sql.startswith("CREATE TABLE IF NOT EXISTS lab.bronze.t (`event_id` string, `at` timestamp) USING iceberg PARTITIONED BY (days(`at`))")
    for each in ["'commit.retry.num-retries' = '10'", "'write.metadata.delete-after-commit.enabled' = 'true'",
                 "'write.metadata.previous-versions-max' = '20'", "'write.parquet.compression-codec' = 'zstd'"]:  # fmt: skip
        assert each in sql


def test_errors_that_stay_end_the_job_and_others_do_not():
    assert job.permanent(AnalysisException("no such column"))
    assert job.permanent(RuntimeError("[KAFKA_DATA_LOSS.ADDED_PARTITION_DOES_NOT_START_FROM_OFFSET_ZERO] ..."))
    assert not job.permanent(RuntimeError("Connection refused"))


class Query:
    def __init__(self):
        self.isActive, self.error = True, None

    def exception(self):
        return self.error


class Starts:
    def __init__(self):
        self.queries = []

    def __call__(self):
        self.queries.append(Query())
        return self.queries[-1]


def seen(bad, resumed=False):
    """A bronze query's progress."""
    progress = job.Progress("bronze")
    progress.bad, progress.resumed = bad, resumed
    return progress


def test_dead_letter_query_runs_when_something_was_bad_and_at_intervals():
    runs, start = job.DeadLetterRuns(600, now=0), Starts()
    runs.tick(599, seen(0), start)
    assert len(start.queries) == 0
    runs.tick(600, seen(0), start)
    assert len(start.queries) == 1
    runs.tick(700, seen(3), start)
    assert len(start.queries) == 1, "two at once"
    start.queries[0].isActive = False
    runs.tick(701, seen(3), start)
    assert len(start.queries) == 2, "bad records during a run ask for another"
    start.queries[1].isActive = False
    runs.tick(702, seen(3), start)
    runs.tick(1300, seen(3), start)
    assert len(start.queries) == 2
    runs.tick(1301, seen(3), start)
    assert len(start.queries) == 3


def test_dead_letter_query_runs_a_minute_after_a_resumption():
    runs, start = job.DeadLetterRuns(600, now=0), Starts()
    runs.tick(10, seen(0, resumed=True), start)
    runs.tick(69, seen(0, resumed=True), start)
    assert len(start.queries) == 0
    runs.tick(70, seen(0, resumed=True), start)
    assert len(start.queries) == 1
    start.queries[0].isActive = False
    runs.tick(200, seen(0, resumed=True), start)
    assert len(start.queries) == 1, "once is enough"


def test_dead_letter_query_that_fails_is_tried_again():
    runs, start = job.DeadLetterRuns(600, now=0), Starts()
    runs.tick(5, seen(1), start)
    start.queries[0].isActive, start.queries[0].error = False, RuntimeError("store away")
    runs.tick(6, seen(1), start)
    assert len(start.queries) == 1
    runs.tick(16, seen(1), start)
    assert len(start.queries) == 2

    def refuse():
        raise RuntimeError("catalog away")

    runs = job.DeadLetterRuns(600, now=0)
    runs.tick(5, seen(1), refuse)
    runs.tick(15, seen(1), start)
    assert len(start.queries) == 3
