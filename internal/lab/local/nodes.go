package local

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// maxNodes is how many nodes a replicated Kafka has.
const maxNodes = 3

// node is one KRaft node of Kafka, broker and controller at once.
type node struct {
	id         int32
	name       string // kafka, or kafka-1 and so on
	ports      NodePorts
	properties string // path of its server.properties
	data       string // folder of its storage
	memory     []string
}

// isKafka reports whether a process name is that of a node.
func isKafka(name string) bool { return name == Kafka || strings.HasPrefix(name, Kafka+"-") }

// nodes are the nodes of this stack.
func (s *Stack) nodes() []node {
	first := NodePorts{Plain: s.ports.Kafka, Secure: s.ports.Secure, Controller: s.ports.Controller}
	if s.opts.KafkaNodes == 1 {
		return []node{{
			id: 1, name: Kafka, ports: first, data: s.path("kafka", "data"),
			properties: s.path("kafka", "server.properties"),
			memory:     []string{"-Xms256m", "-Xmx512m"},
		}}
	}
	out := make([]node, 0, s.opts.KafkaNodes)
	for i, ports := range append([]NodePorts{first}, s.ports.More[:]...) {
		number := strconv.Itoa(i + 1)
		out = append(out, node{
			id: int32(i + 1), name: Kafka + "-" + number, ports: ports,
			data:       s.path("kafka", number, "data"),
			properties: s.path("kafka", number, "server.properties"),
			memory:     []string{"-Xms128m", "-Xmx256m", "-XX:+UseSerialGC"},
		})
	}
	return out
}

// kafkaNames are the process names of the nodes.
func (s *Stack) kafkaNames() []string {
	var names []string
	for _, n := range s.nodes() {
		names = append(names, n.name)
	}
	return names
}

// brokers are the addresses of the plain listeners.
func (s *Stack) brokers() []string {
	var out []string
	for _, n := range s.nodes() {
		out = append(out, local(n.ports.Plain))
	}
	return out
}

// replicas is how often a partition is kept: on every node.
func (s *Stack) replicas() int16 { return int16(s.opts.KafkaNodes) }

// nodeSettings are what the template of server.properties is filled with.
func (s *Stack) nodeSettings(n node) map[string]any {
	var voters []string
	if s.opts.KafkaNodes > 1 {
		for _, v := range s.nodes() {
			voters = append(voters, fmt.Sprintf("%d@%s", v.id, local(v.ports.Controller)))
		}
	}
	buffer := 16 << 20
	if s.opts.KafkaNodes > 1 {
		buffer = 4 << 20
	}
	return map[string]any{
		"ID": n.id, "Rack": fmt.Sprintf("rack-%d", n.id), "Voters": strings.Join(voters, ","),
		"Plain": n.ports.Plain, "Secure": n.ports.Secure, "Controller": n.ports.Controller,
		"Data": n.data, "Keystore": s.path("tls", "server.pem"),
		"ACLs": s.opts.KafkaACLs, "Trusted": kafkaUser,
		"Replicas": s.opts.KafkaNodes, "MinISR": s.opts.KafkaNodes/2 + 1, "CleanerBuffer": buffer,
	}
}

// chooseNodes settles how many nodes there are and whether they ask for ACLs:
// storage that was formatted for one number of nodes serves no other.
func (s *Stack) chooseNodes(old state) error {
	if s.opts.KafkaNodes == 0 {
		s.opts.KafkaNodes = max(old.Nodes, 1)
	}
	s.opts.KafkaACLs = s.opts.KafkaACLs || old.ACLs
	if n := s.opts.KafkaNodes; n != 1 && n != maxNodes {
		return fail.New(fail.Usage, "use 1 or 3", "choosing Kafka's nodes: %d is no number of them", n)
	}
	if old.Ports.Kafka != 0 && max(old.Nodes, 1) != s.opts.KafkaNodes {
		return fail.New(fail.Usage, "use another folder, or bring the stack down and delete it",
			"choosing Kafka's nodes: the stack in %s has %d, wanted were %d", s.dir, max(old.Nodes, 1), s.opts.KafkaNodes)
	}
	return nil
}

// clusterID is the id that every node's storage is formatted with. It is made
// once for each stack.
func (s *Stack) clusterID() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := s.path("kafka", "cluster-id")
	raw, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(raw)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the Kafka cluster id: %w", err)
	}
	var id string
	for id == "" || strings.HasPrefix(id, "-") { // which would read as a flag
		var raw [16]byte
		_, _ = rand.Read(raw[:]) // never fails
		id = base64.RawURLEncoding.EncodeToString(raw[:])
	}
	return id, writeFile(path, []byte(id+"\n"))
}

// endNodes ends every node of Kafka at once: while most of them are there, each
// can hand over what it leads.
func (s *Stack) endNodes(ctx context.Context) error {
	names := slices.DeleteFunc(s.recorded(), func(name string) bool { return !isKafka(name) })
	failed := make([]error, len(names))
	var wave []task
	for i, name := range names {
		wave = append(wave, func(context.Context) error {
			failed[i] = s.end(ctx, name)
			return nil // one that cannot be ended must not cut short the others
		})
	}
	return errors.Join(append(failed, parallel(ctx, wave...))...)
}
