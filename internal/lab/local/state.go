package local

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Ports are where the systems listen, on 127.0.0.1.
type Ports struct {
	Kafka      int `json:"kafka"`        // PLAINTEXT; usually 9092
	Secure     int `json:"kafka_secure"` // SASL_SSL; usually 9094
	Controller int `json:"kafka_controller"`
	Store      int `json:"store"`         // S3; usually 9000
	Console    int `json:"store_console"` // MinIO's web console; usually 9001
	Catalog    int `json:"catalog"`       // Iceberg REST; usually 8181
	Registry   int `json:"registry"`      // Schema Registry; usually 8081
	UI         int `json:"spark_ui"`      // the first driver's UI; usually 4040

	More [maxNodes - 1]NodePorts `json:"kafka_more"` // of Kafka's further nodes, where it has any
}

// NodePorts are where one of Kafka's further nodes listens.
type NodePorts struct {
	Plain      int `json:"plain"`
	Secure     int `json:"secure"`
	Controller int `json:"controller"`
}

// UsualPorts are the ones that every guide uses.
func UsualPorts() Ports {
	return Ports{
		Kafka: 9092, Secure: 9094, Controller: 9093, Store: 9000, Console: 9001, Catalog: 8181, Registry: 8081, UI: 4040,
		More: [maxNodes - 1]NodePorts{{9192, 9194, 9193}, {9292, 9294, 9293}},
	}
}

func (p *Ports) all() []*int {
	ports := []*int{&p.Kafka, &p.Secure, &p.Controller, &p.Store, &p.Console, &p.Catalog, &p.Registry, &p.UI}
	for i := range p.More {
		ports = append(ports, &p.More[i].Plain, &p.More[i].Secure, &p.More[i].Controller)
	}
	return ports
}

// fill sets every zero port from q.
func (p *Ports) fill(q Ports) {
	from := q.all()
	for i, port := range p.all() {
		if *port == 0 {
			*port = *from[i]
		}
	}
}

// freePorts finds ports that nobody uses, below the range (32768 and up) from
// which systems take the local end of outgoing connections: a port of that
// range may be taken again before its server starts.
func freePorts() (Ports, error) {
	var p Ports
	ports := p.all()
	for range 1000 {
		l, err := net.Listen("tcp", local(20_000+mathrand.IntN(12_000)))
		if err != nil {
			continue
		}
		defer l.Close()
		*ports[0] = l.Addr().(*net.TCPAddr).Port
		if ports = ports[1:]; len(ports) == 0 {
			return p, nil
		}
	}
	return p, errors.New("finding free ports between 20000 and 32000: there are none")
}

// state is the content of state.json: what must not change between two runs.
type state struct {
	Ports Ports  `json:"ports"`
	Store string `json:"store"`
	Nodes int    `json:"kafka_nodes,omitempty"`
	ACLs  bool   `json:"kafka_acls,omitempty"`
}

// secrets are made once for each stack and lie in files of mode 0600.
type secrets struct {
	accessKey config.Secret // S3
	secretKey config.Secret // S3
	password  config.Secret // Kafka, user "app"
}

func (k *secrets) files() map[string]*config.Secret {
	return map[string]*config.Secret{
		"s3_access_key": &k.accessKey, "s3_secret_key": &k.secretKey,
		"kafka_password": &k.password,
	}
}

// loadState fills ports, store and secrets from the folder, and with new ones
// where it has none.
func (s *Stack) loadState() error {
	var old state
	raw, err := os.ReadFile(s.path("state.json"))
	if err == nil {
		err = json.Unmarshal(raw, &old)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail.Wrap(fmt.Errorf("reading the stack's state %s: %w", s.path("state.json"), err), fail.Usage,
			"delete the file; the stack then gets its usual ports again")
	}
	s.ports = s.opts.Ports
	s.ports.fill(old.Ports)
	usual := UsualPorts()
	if s.opts.FreePorts {
		if usual, err = freePorts(); err != nil {
			return err
		}
	}
	s.ports.fill(usual)
	if s.opts.Store == "" {
		s.opts.Store = old.Store
	}
	if s.opts.Store == "" {
		s.opts.Store = MinIO
	}
	if err := s.chooseNodes(old); err != nil {
		return err
	}
	for name, secret := range s.keys.files() {
		value := rand.Text()
		if name == "s3_access_key" {
			value = value[:20]
		}
		if raw, err := os.ReadFile(s.path("secrets", name)); err == nil {
			value = strings.TrimSpace(string(raw))
		}
		*secret = config.NewSecret(value)
	}
	return nil
}

// saveState makes the folders and writes down what must not change.
func (s *Stack) saveState() error {
	for _, dir := range []string{"run", "log", "tmp", "secrets", "checkpoints"} {
		if err := os.MkdirAll(s.path(dir), 0o700); err != nil {
			return fmt.Errorf("making the stack's folder %s: %w", s.path(dir), err)
		}
	}
	for name, secret := range s.keys.files() {
		if err := writeFile(s.path("secrets", name), []byte(secret.Reveal()+"\n")); err != nil {
			return err
		}
	}
	raw, err := json.MarshalIndent(state{
		Ports: s.ports, Store: s.opts.Store, Nodes: s.opts.KafkaNodes, ACLs: s.opts.KafkaACLs,
	}, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(s.path("state.json"), append(raw, '\n'))
}

// writeFile replaces a file of mode 0600 in one step, making its folder.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the folder of %s: %w", path, err)
	}
	next := path + "." + rand.Text()
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// lock takes the file's exclusive lock, which ends with the process at the
// latest.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock %s: %w", path, err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil // closing gives the lock back
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			f.Close() // nothing was written
			return nil, fail.Wrap(fmt.Errorf("waiting for the lock %s: %w", path, err), fail.Internal,
				"another lakeproof works in this folder; wait until it is done")
		}
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// local is a host:port of this machine.
func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// addr is where a system of the stack serves; "" for further drivers.
func (s *Stack) addr(name string) string {
	switch name {
	case Store:
		return local(s.ports.Store)
	case Catalog:
		return local(s.ports.Catalog)
	case Registry:
		return local(s.ports.Registry)
	case s.Driver().Name():
		return local(s.ports.UI)
	}
	for _, n := range s.nodes() {
		if name == n.name {
			return local(n.ports.Plain)
		}
	}
	return ""
}
