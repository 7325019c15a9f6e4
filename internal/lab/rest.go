//go:build !nolab

package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	icecat "github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/lakeproof/lakeproof/internal/config"
)

const (
	restShutdown   = 5 * time.Second
	levelSeparator = "\x1f" // between the levels of a namespace in a path (Iceberg REST specification)
)

// restServer serves the read side of the Iceberg REST catalog specification
// (open-api/rest-catalog-open-api.yaml), and takes reports without keeping
// them. Tables are changed by the engine alone.
type restServer struct {
	catalog *catalog
	files   *fileIO
	storage config.Storage
	log     *slog.Logger
	server  *http.Server
	address string
	done    chan struct{} // closed when the server has ended
	err     error         // why; read after done is closed
}

func startREST(ctx context.Context, c *catalog, files *fileIO, storage config.Storage,
	log *slog.Logger,
) (*restServer, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the catalog: %w", err)
	}
	s := &restServer{
		catalog: c, files: files, storage: storage, log: log, address: l.Addr().String(),
		done: make(chan struct{}),
	}
	s.server = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go func() {
		defer close(s.done)
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.err = fmt.Errorf("serving the catalog: %w", err)
		}
	}()
	return s, nil
}

func (s *restServer) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, restShutdown)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	<-s.done
	return err
}

// endpoints are what /v1/config announces.
func endpoints() []string {
	return []string{
		"GET /v1/config",
		"GET /v1/{prefix}/namespaces",
		"GET /v1/{prefix}/namespaces/{namespace}",
		"HEAD /v1/{prefix}/namespaces/{namespace}",
		"GET /v1/{prefix}/namespaces/{namespace}/tables",
		"GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
		"HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
		"POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics",
	}
}

func (s *restServer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/config", s.config)
	mux.HandleFunc("GET /v1/namespaces", s.namespaces)
	mux.HandleFunc("GET /v1/namespaces/{namespace}", s.namespace)
	mux.HandleFunc("HEAD /v1/namespaces/{namespace}", s.namespace)
	mux.HandleFunc("GET /v1/namespaces/{namespace}/tables", s.tables)
	mux.HandleFunc("GET /v1/namespaces/{namespace}/tables/{table}", s.table)
	mux.HandleFunc("HEAD /v1/namespaces/{namespace}/tables/{table}", s.table)
	mux.HandleFunc("POST /v1/namespaces/{namespace}/tables/{table}/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusNotAcceptable, "UnsupportedOperationException",
			"Not served by the embedded catalog: "+r.Method+" "+r.URL.Path)
	})
	return mux
}

func (s *restServer) config(w http.ResponseWriter, r *http.Request) {
	if name := r.URL.Query().Get("warehouse"); name != "" && name != Warehouse {
		s.fail(w, r, http.StatusNotFound, "NoSuchWarehouseException", "Warehouse does not exist: "+name)
		return
	}
	s.answer(w, map[string]any{"defaults": struct{}{}, "overrides": struct{}{}, "endpoints": endpoints()})
}

func (s *restServer) namespaces(w http.ResponseWriter, r *http.Request) {
	var parent table.Identifier
	if name := r.URL.Query().Get("parent"); name != "" {
		parent = levels(name)
	}
	all, err := s.catalog.ListNamespaces(r.Context(), parent)
	if err != nil {
		s.failWith(w, r, err, strings.Join(parent, "."))
		return
	}
	list := []table.Identifier{} // one level a request; iceberg-go lists the parent itself, too
	for _, ns := range all {
		if len(ns) == len(parent)+1 {
			list = append(list, ns)
		}
	}
	s.answer(w, map[string]any{"namespaces": list})
}

func (s *restServer) namespace(w http.ResponseWriter, r *http.Request) {
	ns := levels(r.PathValue("namespace"))
	props, err := s.catalog.LoadNamespaceProperties(r.Context(), ns)
	if err != nil {
		s.failWith(w, r, err, strings.Join(ns, "."))
		return
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.answer(w, map[string]any{"namespace": ns, "properties": props})
}

func (s *restServer) tables(w http.ResponseWriter, r *http.Request) {
	ns := levels(r.PathValue("namespace"))
	type entry struct {
		Namespace []string `json:"namespace"`
		Name      string   `json:"name"`
	}
	list := []entry{}
	for ident, err := range s.catalog.ListTables(r.Context(), ns) {
		if err != nil {
			s.failWith(w, r, err, strings.Join(ns, "."))
			return
		}
		list = append(list, entry{ns, icecat.TableNameFromIdent(ident)})
	}
	s.answer(w, map[string]any{"identifiers": list})
}

// table answers loadTable and tableExists. The location of the metadata changes
// with each commit, so it makes the ETag, and a 304 costs one row of SQLite.
func (s *restServer) table(w http.ResponseWriter, r *http.Request) {
	ns, name := levels(r.PathValue("namespace")), r.PathValue("table")
	location, err := s.catalog.location(r.Context(), strings.Join(ns, "."), name)
	if err != nil {
		s.failWith(w, r, err, strings.Join(append(ns, name), "."))
		return
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	mode := r.URL.Query().Get("snapshots")
	if mode != "" && mode != "all" && mode != "refs" {
		s.fail(w, r, http.StatusBadRequest, "IllegalArgumentException", "Unknown snapshots mode: "+mode)
		return
	}
	sum := sha256.Sum256([]byte(mode + "\n" + location))
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	metadata, err := s.files.ReadFile(location)
	if err == nil && mode == "refs" {
		metadata, err = onlyReferenced(metadata)
	}
	if err != nil {
		s.failWith(w, r, err, strings.Join(append(ns, name), "."))
		return
	}
	s.answer(w, map[string]any{
		"metadata-location": location,
		"metadata":          json.RawMessage(metadata),
		"config": map[string]string{
			propEndpoint: s.storage.Endpoint, propRegion: s.storage.Region, "s3.path-style-access": "true",
		},
	})
}

// onlyReferenced leaves those snapshots in the metadata that a branch or a tag
// points to: snapshots=refs of the specification.
func onlyReferenced(metadata []byte) ([]byte, error) {
	var doc map[string]json.RawMessage
	var refs map[string]struct {
		ID int64 `json:"snapshot-id"`
	}
	var all []json.RawMessage
	if err := json.Unmarshal(metadata, &doc); err != nil {
		return nil, err
	}
	if doc["snapshots"] == nil {
		return metadata, nil
	}
	if err := json.Unmarshal(doc["snapshots"], &all); err != nil {
		return nil, err
	}
	if doc["refs"] != nil {
		if err := json.Unmarshal(doc["refs"], &refs); err != nil {
			return nil, err
		}
	}
	wanted := make(map[int64]bool, len(refs))
	for _, ref := range refs {
		wanted[ref.ID] = true
	}
	kept := []json.RawMessage{}
	for _, raw := range all {
		var snap struct {
			ID int64 `json:"snapshot-id"`
		}
		if err := json.Unmarshal(raw, &snap); err != nil {
			return nil, err
		}
		if wanted[snap.ID] {
			kept = append(kept, raw)
		}
	}
	var err error
	if doc["snapshots"], err = json.Marshal(kept); err != nil {
		return nil, err
	}
	return json.Marshal(doc)
}

func levels(namespace string) table.Identifier { return strings.Split(namespace, levelSeparator) }

func (s *restServer) answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Debug("answering a catalog request", "err", err)
	}
}

// failWith answers an error of the catalog in the specification's form.
func (s *restServer) failWith(w http.ResponseWriter, r *http.Request, err error, name string) {
	switch {
	case errors.Is(err, errNoTable), errors.Is(err, icecat.ErrNoSuchTable):
		s.fail(w, r, http.StatusNotFound, "NoSuchTableException", "Table does not exist: "+name)
	case errors.Is(err, icecat.ErrNoSuchNamespace):
		s.fail(w, r, http.StatusNotFound, "NoSuchNamespaceException", "Namespace does not exist: "+name)
	default:
		s.log.Warn("serving the catalog", "path", r.URL.Path, "err", err)
		s.fail(w, r, http.StatusInternalServerError, "InternalServerError", err.Error())
	}
}

func (s *restServer) fail(w http.ResponseWriter, r *http.Request, code int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		s.answer(w, map[string]any{"error": map[string]any{"message": message, "type": kind, "code": code}})
	}
}
