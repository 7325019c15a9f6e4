// Command lakeproof proves that a lakehouse works: it makes payments, follows
// every record through Kafka and Spark into the Iceberg table, and says pass
// or fail.
package main

import (
	"os"

	"github.com/lakeproof/lakeproof/internal/cli"
	"github.com/lakeproof/lakeproof/internal/env"
)

func main() { os.Exit(cli.Main(env.Process())) }
