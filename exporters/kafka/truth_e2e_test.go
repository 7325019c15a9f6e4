//go:build e2e

package kafka_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// Kafka's own command-line classes.
const (
	topicCommand  = "org.apache.kafka.tools.TopicCommand"
	groupsCommand = "org.apache.kafka.tools.GroupsCommand"
	offsetCommand = "org.apache.kafka.tools.GetOffsetShell"
	quorumCommand = "org.apache.kafka.tools.MetadataQuorumCommand"
	logDirCommand = "org.apache.kafka.tools.LogDirsCommand"
	consumerGroup = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
	shareGroup    = "org.apache.kafka.tools.consumer.group.ShareGroupCommand"
)

// numbers are values by name, for comparing what two sides say.
type numbers map[string]float64

// missing tells in which names of want got differs, in words; "" for none.
func (want numbers) missing(got numbers) string {
	var out []string
	for name, w := range want {
		if g, ok := got[name]; !ok {
			out = append(out, fmt.Sprintf("%s is missing, want %v", name, w))
		} else if g != w {
			out = append(out, fmt.Sprintf("%s is %v, want %v", name, g, w))
		}
	}
	sort.Strings(out)
	return strings.Join(out, "\n")
}

// differs is missing in both directions.
func (want numbers) differs(got numbers) string {
	text := want.missing(got)
	for name, g := range got {
		if _, ok := want[name]; !ok {
			text += fmt.Sprintf("\n%s is %v, and Kafka's own command does not know it", name, g)
		}
	}
	return text
}

// table reads the tables of a command: rows by column name. A blank line ends a
// table, and the next line is the head of another.
func table(text string) []map[string]string {
	var head []string
	var rows []map[string]string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
			head = nil
		case head == nil:
			head = f
		default:
			row := map[string]string{}
			for i, v := range f {
				if i < len(head) {
					row[head[i]] = v
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	if text == "none" { // of a leader
		return -1
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("Kafka's own command says %q where a number was to be", text)
	}
	return v
}

// truth is what Kafka's own command-line classes say of the cluster, under the
// names that [page.seen] gives what is on the page. Offsets are asked for the
// topics that match: for a partition that is offline the command waits a minute.
func (st *stage) truth(ctx context.Context, t *testing.T, offsetsOf string) numbers {
	t.Helper()
	want := numbers{}
	for line := range strings.Lines(st.tool(ctx, t, topicCommand, "--describe")) {
		w := after(line)
		if w["Partition:"] == "" {
			continue
		}
		tp := w["Topic:"] + "-" + w["Partition:"]
		want["partitions "+w["Topic:"]]++
		want["replicas "+tp], want["isr "+tp] = count(w["Replicas:"]), count(w["Isr:"])
		want["leader "+tp] = number(t, w["Leader:"])
	}
	for flag, name := range map[string]string{"-1": "end ", "-2": "start "} {
		for line := range strings.Lines(st.tool(ctx, t, offsetCommand, "--time", flag, "--topic", offsetsOf)) {
			if f := strings.Split(strings.TrimSpace(line), ":"); len(f) == 3 {
				want[name+f[0]+"-"+f[1]] = number(t, f[2])
			}
		}
	}
	for _, row := range table(st.tool(ctx, t, consumerGroup, "--describe", "--all-groups")) {
		name := row["GROUP"] + " " + row["TOPIC"] + "-" + row["PARTITION"]
		want["committed "+name], want["lag "+name] = number(t, row["CURRENT-OFFSET"]), number(t, row["LAG"])
		want["lag sum "+row["GROUP"]+" "+row["TOPIC"]] += number(t, row["LAG"])
	}
	for _, row := range table(st.tool(ctx, t, groupsCommand, "--list")) {
		want["type "+row["GROUP"]+" "+strings.ToLower(row["TYPE"])] = 1
		want["members "+row["GROUP"]] = 0
	}
	for _, row := range table(st.tool(ctx, t, consumerGroup, "--describe", "--all-groups", "--members")) {
		want["members "+row["GROUP"]]++
		want["assigned "+row["GROUP"]] += number(t, row["#PARTITIONS"])
	}
	st.shareTruth(ctx, t, want)
	return want
}

// shareTruth adds what Kafka's own command says of share groups.
func (st *stage) shareTruth(ctx context.Context, t *testing.T, want numbers) {
	t.Helper()
	for _, row := range table(st.tool(ctx, t, shareGroup, "--describe", "--all-groups")) {
		name := row["GROUP"] + " " + row["TOPIC"] + "-" + row["PARTITION"]
		want["committed "+name], want["lag "+name] = number(t, row["START-OFFSET"]), number(t, row["LAG"])
		want["lag sum "+row["GROUP"]+" "+row["TOPIC"]] += number(t, row["LAG"])
	}
	for _, row := range table(st.tool(ctx, t, shareGroup, "--describe", "--all-groups", "--members")) {
		want["members "+row["GROUP"]]++
		want["assigned "+row["GROUP"]] += number(t, row["#PARTITIONS"])
	}
}

// count is the number of items of a list such as 1,2,3; of none it is 0.
func count(list string) float64 {
	return float64(len(strings.FieldsFunc(list, func(r rune) bool { return r == ',' })))
}

// after reads a line of "Word: value" pairs.
func after(line string) map[string]string {
	f := strings.Fields(line)
	out := map[string]string{}
	for i := 0; i+1 < len(f); i++ {
		if strings.HasSuffix(f[i], ":") && !strings.HasSuffix(f[i+1], ":") {
			out[f[i]] = f[i+1]
		}
	}
	return out
}

// quorum is the leader and the epoch that Kafka's own command tells.
func (st *stage) quorum(ctx context.Context, t *testing.T) (leader, epoch float64) {
	t.Helper()
	w := map[string]string{}
	for line := range strings.Lines(st.tool(ctx, t, quorumCommand, "describe", "--status")) {
		if f := strings.Fields(line); len(f) == 2 {
			w[f[0]] = f[1]
		}
	}
	return number(t, w["LeaderId:"]), number(t, w["LeaderEpoch:"])
}

// sizes are the bytes of every replica by broker, as Kafka's own command says.
func (st *stage) sizes(ctx context.Context, t *testing.T) numbers {
	t.Helper()
	out := st.tool(ctx, t, logDirCommand, "--describe")
	var answer struct {
		Brokers []struct {
			Broker  int
			LogDirs []struct {
				Partitions []struct {
					Partition string
					Size      float64
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(out[max(0, strings.Index(out, "{")):]), &answer); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sizes := numbers{}
	for _, b := range answer.Brokers {
		for _, d := range b.LogDirs {
			for _, p := range d.Partitions {
				topic := p.Partition[:strings.LastIndexByte(p.Partition, '-')]
				if !strings.HasPrefix(topic, "__") {
					sizes["bytes "+topic] += p.Size
				}
			}
		}
	}
	return sizes
}
