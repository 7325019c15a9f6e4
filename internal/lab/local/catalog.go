package local

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// startCatalog starts the Iceberg REST catalog, which keeps its tables in
// SQLite and their metadata in the store.
func (s *Stack) startCatalog(ctx context.Context) error {
	return s.bring(ctx, system{
		name: Catalog, step: "start", limit: 60 * time.Second, prepare: s.catalogCommand,
		probe: func(ctx context.Context) error {
			return answers(ctx, "http://"+local(s.ports.Catalog)+"/v1/config")
		},
	})
}

func (s *Stack) catalogCommand() (command, error) {
	if err := checkPorts(Catalog, s.ports.Catalog); err != nil {
		return command{}, err
	}
	if err := os.MkdirAll(s.path("catalog"), 0o700); err != nil {
		return command{}, fmt.Errorf("making the catalog's folder: %w", err)
	}
	jars := s.tool("catalog", "jars")
	return command{
		name: Catalog,
		addr: local(s.ports.Catalog),
		env: []string{
			"REST_PORT=" + strconv.Itoa(s.ports.Catalog),
			"CATALOG_WAREHOUSE=" + Warehouse,
			"CATALOG_URI=jdbc:sqlite:" + s.path("catalog", "catalog.db") + "?journal_mode=WAL&busy_timeout=10000",
			"CATALOG_JDBC_USER=user",
			"CATALOG_JDBC_PASSWORD=password",
			"CATALOG_IO__IMPL=org.apache.iceberg.aws.s3.S3FileIO",
			"CATALOG_S3_ENDPOINT=http://" + local(s.ports.Store),
			"CATALOG_S3_PATH__STYLE__ACCESS=true",
			"CATALOG_S3_ACCESS__KEY__ID=" + s.keys.accessKey.Reveal(),
			"CATALOG_S3_SECRET__ACCESS__KEY=" + s.keys.secretKey.Reveal(),
			"CATALOG_CLIENT_REGION=" + Region,
			"AWS_REGION=" + Region,
		},
		argv: []string{
			"java", "-Xms64m", "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Djava.io.tmpdir=" + s.path("tmp"),
			"-cp", filepath.Join(jars, "classes") + ":" + filepath.Join(jars, "lib", "*"),
			"org.apache.iceberg.rest.LabCatalog",
		},
	}, nil
}

// answers reports whether a GET gives 200.
func answers(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking %s: status %s", url, resp.Status)
	}
	return nil
}
