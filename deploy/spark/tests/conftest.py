import glob
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


# What the local stack installs beside its venv; from_avro is in a jar of its own.
JARS = glob.glob(os.path.join(os.path.dirname(sys.prefix), "jars", "lib", "spark-avro_*.jar"))


@pytest.fixture(scope="session")
def spark():
    from pyspark.sql import SparkSession  # the tests of the listener need no Spark

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.extraClassPath", os.pathsep.join(JARS))
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(scope="session")
def avro_spark(spark):
    """A Spark that reads Avro, with the limits that the job sets itself."""
    import bronze_payments

    if not JARS:
        pytest.skip(f"no spark-avro jar beside {sys.prefix}: use the venv of the local stack")
    bronze_payments.limit_avro(spark)
    return spark
