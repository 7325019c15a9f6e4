//go:build !nolab

package lab

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/apache/iceberg-go"
	icecat "github.com/apache/iceberg-go/catalog"
	icesql "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	"modernc.org/sqlite"

	"github.com/lakeproof/lakeproof/internal/config"
)

// catalogName is the key of our rows in the catalog's tables.
const catalogName = Warehouse

// catalog is iceberg-go's SQL catalog on a SQLite file.
type catalog struct {
	*icesql.Catalog
	db *sql.DB
}

// sqliteFile connects database/sql with the driver without registering it.
type sqliteFile struct{ dsn string }

func (c sqliteFile) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(c.dsn) }
func (c sqliteFile) Driver() driver.Driver                        { return &sqlite.Driver{} }

func openCatalog(dir string, storage config.Storage) (*catalog, error) {
	dsn := "file:" + filepath.Join(dir, "catalog.db") +
		"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_pragma=synchronous(NORMAL)"
	db := sql.OpenDB(sqliteFile{dsn})
	props := iceberg.Properties{"warehouse": warehouseLocation}
	maps.Copy(props, fileProps(storage))
	inner, err := icesql.NewCatalog(catalogName, db, icesql.SQLite, props)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the catalog: %w", err), db.Close())
	}
	return &catalog{inner, db}, nil
}

func (c *catalog) close() error { return errors.Join(c.Close(), c.db.Close()) }

// ensure makes a table and its namespace where they are missing.
func (c *catalog) ensure(ctx context.Context, ident table.Identifier, schema *iceberg.Schema) error {
	ns := icecat.NamespaceFromIdent(ident)
	if ok, err := c.CheckNamespaceExists(ctx, ns); err != nil {
		return fmt.Errorf("looking for namespace %s: %w", strings.Join(ns, "."), err)
	} else if !ok {
		err := c.CreateNamespace(ctx, ns, nil)
		if err != nil && !errors.Is(err, icecat.ErrNamespaceAlreadyExists) {
			return fmt.Errorf("making namespace %s: %w", strings.Join(ns, "."), err)
		}
	}
	ok, err := c.CheckTableExists(ctx, ident)
	if err != nil {
		return fmt.Errorf("looking for table %s: %w", strings.Join(ident, "."), err)
	}
	if ok {
		return nil
	}
	_, err = c.CreateTable(ctx, ident, schema, icecat.WithProperties(tableProperties()))
	if err != nil && !errors.Is(err, icecat.ErrTableAlreadyExists) {
		return fmt.Errorf("making table %s: %w", strings.Join(ident, "."), err)
	}
	return nil
}

// tableProperties set what iceberg-go does not do by default, unlike Java:
// retries, and forgetting old metadata files. Columns that never repeat a value
// are written without a dictionary.
func tableProperties() iceberg.Properties {
	props := iceberg.Properties{
		"format-version": "2",
		table.MetadataDeleteAfterCommitEnabledKey: "true",
		table.MetadataPreviousVersionsMaxKey:      "20",
		table.CommitNumRetriesKey:                 "10",
		table.CommitMinRetryWaitMsKey:             "10",
		"write.parquet.compression-codec":         "zstd",
		"write.parquet.compression-level":         "1",
	}
	for _, name := range []string{"event_id", "checksum", colOffset} {
		props["write.parquet.dict-encoding-enabled.column."+name] = "false"
	}
	return props
}

// load reads a table anew. Tables are not kept between commits: a chain of
// them keeps the metadata of every snapshot alive in iceberg-go 0.7.
func (c *catalog) load(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	t, err := c.LoadTable(ctx, ident)
	if err != nil {
		return nil, fmt.Errorf("loading table %s: %w", strings.Join(ident, "."), err)
	}
	return table.New(ident, t.Metadata(), t.MetadataLocation(), t.FS, retryable{c}), nil
}

// retryable marks the conflicts that the SQL catalog reports as plain errors,
// so that iceberg-go's own retry rebuilds the commit on the fresh table.
type retryable struct{ *catalog }

// CommitTable implements table.CatalogIO.
func (r retryable) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement,
	updates []table.Update,
) (table.Metadata, string, error) {
	meta, location, err := r.catalog.CommitTable(ctx, ident, reqs, updates)
	if err != nil && !errors.Is(err, table.ErrCommitFailed) && strings.HasPrefix(strings.ToLower(err.Error()),
		"requirement failed") {
		err = fmt.Errorf("%w: %w", table.ErrCommitFailed, err)
	}
	return meta, location, err
}

// errNoTable is what location returns for a table that is not there.
var errNoTable = errors.New("no such table")

// location returns where the current metadata of a table is, without reading it.
func (c *catalog) location(ctx context.Context, namespace, name string) (string, error) {
	var location sql.NullString
	err := c.db.QueryRowContext(ctx,
		"SELECT metadata_location FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ? AND table_name = ?",
		catalogName, namespace, name).Scan(&location)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errNoTable
	}
	if err != nil {
		return "", fmt.Errorf("looking up table %s.%s: %w", namespace, name, err)
	}
	return location.String, nil
}
