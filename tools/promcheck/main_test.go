package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const before = `# HELP kafka_topic_partition_current_offset Offset after the last record
# TYPE kafka_topic_partition_current_offset gauge
kafka_topic_partition_current_offset{partition="0",topic="orders"} 100
kafka_topic_partition_current_offset{partition="1",topic="orders"} 50
# TYPE kafka_consumergroup_lag gauge
kafka_consumergroup_lag{consumergroup="billing",partition="0",topic="orders",job="mine"} 7
kafka_gone 1
`

const after = `# TYPE kafka_topic_partition_current_offset gauge
kafka_topic_partition_current_offset{partition="0",topic="orders"} 130
kafka_topic_partition_current_offset{partition="1",topic="orders"} 50
# TYPE kafka_consumergroup_lag gauge
kafka_consumergroup_lag{consumergroup="billing",partition="0",topic="orders",job="mine"} 7
`

// check runs the program over expressions and pages.
func check(t *testing.T, flags []string, expressions string, pages ...string) (int, string, string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	args := append(flags, write("expressions", expressions))
	for i, p := range pages {
		args = append(args, write("page"+string(rune('0'+i)), p))
	}
	var stdout, stderr bytes.Buffer
	code := run(args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestExpressions(t *testing.T) {
	renamed := strings.ReplaceAll(after, "kafka_consumergroup_lag", "kafka_group_lag")
	for _, c := range []struct {
		name, query string
		pages       []string
		code        int
		says        string // on standard error
		series      string // in the table
	}{
		{"sum", `sum(kafka_consumergroup_lag{topic=~".+"}) by (consumergroup, topic)`, []string{before, after}, 0, "", "1"},
		{"target", `kafka_consumergroup_lag{job="kafka",instance="localhost:9308",exported_job="mine",rack="a"}`, []string{after}, 0, "", "1"},
		{"rate", `sum by (topic, partition) (rate(kafka_topic_partition_current_offset[1m])) > 0`, []string{before, after}, 0, "", "1"},
		{"number", `1 + 1`, []string{after}, 0, "", "1"},
		{"alternative", `kafka_nothing or kafka_consumergroup_lag`, []string{after}, 0, "", "1"},
		{"openmetrics", `count(kafka_topic_partition_current_offset)`, []string{after + "# EOF\n"}, 0, "", "1"},
		// What must fail.
		{"rate of one scrape", `rate(kafka_topic_partition_current_offset[1m])`, []string{after}, 1, "it has no result", "0"},
		{"renamed metric", `sum(kafka_consumergroup_lag) by (consumergroup)`, []string{renamed, renamed}, 1, "no series match kafka_consumergroup_lag", "0"},
		{"renamed label", `sum(kafka_consumergroup_lag) by (group)`, []string{after}, 1, "no series has the label group", "1"},
		{"matched by a label that is not there", `kafka_consumergroup_lag - on(cluster, topic, partition) kafka_topic_partition_current_offset`, []string{after}, 1, "the label cluster", "1"},
		{"gone", `kafka_gone`, []string{before, after}, 1, "no series match kafka_gone", "0"},
		{"syntax", `sum(`, []string{after}, 1, "parsing it", "0"},
		{"many to many", `kafka_topic_partition_current_offset * on(topic) kafka_topic_partition_current_offset`, []string{after}, 1, "evaluating it", "0"},
		{"twice", `1`, []string{after + "kafka_consumergroup_lag{consumergroup=\"billing\",partition=\"0\",topic=\"orders\",job=\"mine\"} 8\n"}, 2, "is there twice", ""},
		{"garbage", `1`, []string{"<html>"}, 2, "reading the page", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, table, says := check(t, []string{"--label", "rack=a", "--expressions"}, "# source\n\n# panel\n"+c.query+"\n", c.pages...)
			if code != c.code || !strings.Contains(says, c.says) {
				t.Errorf("exit code %d, want %d; it says %q, want %q", code, c.code, says, c.says)
			}
			if want := "expressions: panel  " + c.series + " "; c.series != "" && !strings.Contains(table, want) {
				t.Errorf("the table has no %q:\n%s", want, table)
			}
		})
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name, query string
		code        int
		says        string
	}{
		{"does not fire", `kafka_consumergroup_lag > 1000`, 0, ""},
		{"fires", `changes(kafka_topic_partition_current_offset{partition="1"}[10m]) == 0`, 0, ""},
		{"renamed metric", `kafka_consumer_group_lag > 1000`, 1, "no series match kafka_consumer_group_lag"},
		{"one side is missing", `kafka_consumergroup_lag > 1000 or rate(kafka_nothing{topic="orders"}[5m] offset 1h) > 0`, 1, `no series match kafka_nothing{topic="orders"}`},
		{"syntax", `kafka_consumergroup_lag >`, 1, "parsing it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, says := check(t, []string{"--rules"}, c.query, before, after)
			if code != c.code || !strings.Contains(says, c.says) {
				t.Errorf("exit code %d, want %d; it says %q, want %q", code, c.code, says, c.says)
			}
		})
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"--expressions", "x"},
		{"page"},
		{"--label", "x", "--rules", "x", "page"},
		{"--expressions", "none", "page"},
		{"--nothing"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(args, &stdout, &stderr); code != exitUsage || stderr.Len() == 0 {
			t.Errorf("%q: exit code %d, says %q", args, code, stderr.String())
		}
	}
	if code, _, says := check(t, []string{"--expressions"}, "# only a comment\n", after); code != exitUsage || !strings.Contains(says, "has none") {
		t.Errorf("a file without expressions: exit code %d, says %q", code, says)
	}
}
