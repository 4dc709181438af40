"""A folder of `unktx analyze` in PySpark: spark-submit --py-files manifest.py spark_tables.py FOLDER. The schemas are those of
datapackage.json, so Spark reads each file once, in as many pieces as it likes."""
import sys
from pathlib import Path

from pyspark.sql import SparkSession

import manifest


def read(spark, folder, name):
    """`emptyValue` keeps two quotes an empty text. Fields have no line breaks, so files can be split."""
    table = manifest.tables(folder)[name]
    return (spark.read.schema(manifest.spark_schema(table)).option("header", True).option("escape", '"').option("emptyValue", "")
            .option("nullValue", None).csv(str(Path(folder) / table["path"])))


def main(folder):
    spark = SparkSession.builder.appName("unktx").getOrCreate()
    tdags, txs, outputs = (read(spark, folder, name) for name in ("tdags", "txs", "outputs"))
    print("T-DAGs", tdags.count(), "unknown outputs", outputs.count())
    joined = outputs.join(txs, ["height", "tx_index"]).groupBy("dag_id").count()
    joined.join(tdags, "dag_id").orderBy("dag_id").select("dag_id", "count", "txs", "family").show(10)
    txs.selectExpr("*", "year(from_unixtime(time)) AS year").write.partitionBy("year").mode("overwrite").parquet("txs-by-year")


if __name__ == "__main__":
    main(sys.argv[1])
