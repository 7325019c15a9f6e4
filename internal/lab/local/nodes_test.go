package local

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/internal/fail"
)

func TestNodesAreKeptAndNeverMixed(t *testing.T) {
	dir := t.TempDir()
	first := stackIn(t, dir, Options{KafkaNodes: 3, KafkaACLs: true})
	if err := first.saveState(); err != nil {
		t.Fatal(err)
	}
	second := stackIn(t, dir, Options{})
	if got := fmt.Sprint(second.kafkaNames()); got != "[kafka-1 kafka-2 kafka-3]" || !second.opts.KafkaACLs {
		t.Errorf("the second time: %s, ACLs %v", got, second.opts.KafkaACLs)
	}
	if got := strings.Join(second.Config().Kafka.Brokers, " "); got != "127.0.0.1:9092 127.0.0.1:9192 127.0.0.1:9292" {
		t.Errorf("brokers: %s", got)
	}
	for _, nodes := range []int{1, 2, -1} {
		if _, err := New(Options{Dir: dir, KafkaNodes: nodes}); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%d nodes: %v", nodes, err)
		}
	}
	if got := fmt.Sprint(stackIn(t, t.TempDir(), Options{}).kafkaNames()); got != "[kafka]" {
		t.Errorf("by default: %s", got)
	}
}

func TestNodesAreFormattedForOneCluster(t *testing.T) {
	dir := t.TempDir()
	first, err := stackIn(t, dir, Options{KafkaNodes: 3}).clusterID()
	if err != nil {
		t.Fatal(err)
	}
	again, err := stackIn(t, dir, Options{KafkaNodes: 3}).clusterID()
	if err != nil || again != first || len(first) != 22 {
		t.Errorf("cluster id %q, then %q (%v)", first, again, err)
	}
}

func TestNodeSettings(t *testing.T) {
	read := func(opts Options) string {
		s := stackIn(t, t.TempDir(), opts)
		out, err := render("kafka/server.properties.tmpl", s.nodeSettings(s.nodes()[0]))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), "0.0.0.0") {
			t.Error("listens on every address")
		}
		return string(out)
	}
	one, three := read(Options{}), read(Options{KafkaNodes: 3, KafkaACLs: true})
	for line, where := range map[string]string{
		"controller.quorum.bootstrap.servers=127.0.0.1:9093\n":                                     one,
		"min.insync.replicas=1\n":                                                                  one,
		"controller.quorum.voters=1@127.0.0.1:9093,2@127.0.0.1:9193,3@127.0.0.1:9293\n":            three,
		"offsets.topic.replication.factor=3\n":                                                     three,
		"min.insync.replicas=2\n":                                                                  three,
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n":          three,
		"super.users=User:ANONYMOUS;User:app\n":                                                    three,
		"listeners=PLAINTEXT://127.0.0.1:9092,SECURE://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093": three,
	} {
		if !strings.Contains(where, line) {
			t.Errorf("missing %q", line)
		}
	}
	if strings.Contains(one, "authorizer") || strings.Contains(one, "voters") {
		t.Error("one node has the settings of three")
	}
}

// The script's child is not waited for while it begins: a leader in vfork is
// not halted itself when its child is.
func TestPauseHaltsTheWholeGroup(t *testing.T) {
	s := stackIn(t, t.TempDir(), Options{})
	r := spawnShell(t, s, Store, "sleep 600 & echo $!; wait")
	var child int
	awaitTrue(t, "the child", func() bool {
		raw, err := os.ReadFile(s.logPath(Store))
		if err != nil {
			t.Fatal(err)
		}
		child, err = strconv.Atoi(strings.TrimSpace(string(raw)))
		return err == nil
	})
	halted := func(pid int) bool { return processState(t, pid) == "T" }
	if halted(r.pid) || halted(child) {
		t.Fatal("halted before it was told to")
	}
	if err := s.Pause(Store); err != nil {
		t.Fatal(err)
	}
	awaitTrue(t, "the halt", func() bool { return halted(r.pid) && halted(child) })
	if err := s.Resume(Store); err != nil {
		t.Fatal(err)
	}
	awaitTrue(t, "going on", func() bool { return !halted(r.pid) && !halted(child) })
	if err := s.Pause(Catalog); fail.CodeOf(err) != fail.Usage {
		t.Errorf("pausing what does not run: %v", err)
	}
}

func processState(t *testing.T, pid int) string {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skip("there is no /proc here")
	}
	return strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))[0]
}

func TestACLWordsAreKafkas(t *testing.T) {
	for _, bad := range []ACL{
		{User: "u", Operation: "Look", Resource: "Topic", Name: "*"},
		{User: "u", Operation: "Read", Resource: "Table", Name: "*"},
	} {
		if _, _, _, err := bad.words(); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
	if _, _, _, err := (ACL{Operation: "DescribeConfigs", Resource: "TransactionalId"}).words(); err != nil {
		t.Error(err)
	}
}
