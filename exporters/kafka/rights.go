package kafka

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeproof/lakeproof/metrics"
)

// The words of Kafka's ACLs.
const (
	onTopic       = "Topic"
	onGroup       = "Group"
	onCluster     = "Cluster"
	onTransaction = "TransactionalId"

	opDescribe        = "Describe"
	opDescribeConfigs = "DescribeConfigs"
	opRead            = "Read"
)

// right is what one API needs, and the families that come of it.
type right struct {
	resource  string
	name      string // pattern of the resource's name
	operation string
	api       string
	// families go when the right is taken away; with extra they only know more.
	families []metrics.Metric
	extra    bool
}

// rights lists what the exporter needs, by resource and operation. An operation
// that Kafka takes as implied (Read implies Describe) is not listed twice.
func rights() []right {
	return slices.Concat(clusterRights(), []right{
		{onTopic, "*", opDescribe, "Metadata", slices.Concat(labelled("topic", "kafka_topic_"), culpritFamilies()), false},
		{onTopic, "*", opDescribe, "ListOffsets", labelled("topic", "kafka_consumergroup_"), false},
		{onTopic, "*", opDescribeConfigs, apiTopicConfigs, topicConfigFamilies(), false},
		{onGroup, "*", opDescribe, "DescribeGroups", memberFamilies(), false},
		{onGroup, "*", opDescribe, "OffsetFetch", commitFamilies(), false},
		{onTransaction, "*", opDescribe, apiListTransactions, []metrics.Metric{metrics.KafkaTransactions()}, false},
		{onTransaction, "*", opDescribe, apiDescribeTransactions, culpritFamilies(), false},
		{onTopic, "*", opRead, apiProducers, culpritFamilies(), true},
	})
}

// clusterRights lists the rights on the cluster itself.
func clusterRights() []right {
	on := func(operation, api string, families ...metrics.Metric) right {
		return right{onCluster, "kafka-cluster", operation, api, families, false}
	}
	return []right{
		on(opDescribe, apiQuorum, metrics.KafkaQuorumLeader(), metrics.KafkaQuorumEpoch(),
			metrics.KafkaQuorumHighWatermark(), metrics.KafkaQuorumVoters(), metrics.KafkaQuorumObservers(),
			metrics.KafkaQuorumNodeLag(), metrics.KafkaQuorumNodeLastCaughtUp()),
		on(opDescribe, apiLogDirs, metrics.KafkaLogDirUsed(), metrics.KafkaLogDirTotal(), metrics.KafkaLogDirUsable(),
			metrics.KafkaLogDirOffline(), metrics.KafkaLogDirFutureReplicas(), metrics.KafkaLogDirUntilFull(),
			metrics.KafkaTopicSize(), metrics.KafkaTopicLeaderSize(), metrics.KafkaTopicLargestPartition(),
			metrics.KafkaPartitionSize()),
		on(opDescribe, apiReassignments, metrics.KafkaReassigningPartitions(), metrics.KafkaTopicReassigningPartitions(),
			metrics.KafkaTopicReassignmentAdding(), metrics.KafkaTopicReassignmentRemoving()),
		on(opDescribe, apiACLs, metrics.KafkaACLs()),
		on(opDescribe, apiScram, metrics.KafkaScramCredentials()),
		on(opDescribeConfigs, apiBrokerConfigs, metrics.KafkaBrokerConfig()),
		on(opDescribeConfigs, apiQuotas, metrics.KafkaClientQuotas(), metrics.KafkaClientQuota()),
		on(opDescribeConfigs, apiConfigResources, metrics.KafkaClientMetricsSubscriptions(),
			metrics.KafkaClientMetricsInterval()),
	}
}

// topicConfigFamilies are what topics are configured to, and what is compared
// with it.
func topicConfigFamilies() []metrics.Metric {
	return []metrics.Metric{
		metrics.KafkaTopicRetention(), metrics.KafkaTopicRetentionBytes(), metrics.KafkaTopicMinISR(),
		metrics.KafkaTopicCleanupPolicyInfo(), metrics.KafkaTopicMaxMessage(), metrics.KafkaTopicSegmentBytes(),
		metrics.KafkaTopicSegmentAge(),
		metrics.KafkaTopicUnderMinISRPartitions(), metrics.KafkaTopicAtMinISRPartitions(),
		metrics.KafkaPartitionUnderMinISR(), metrics.KafkaPartitionAtMinISR(),
		metrics.KafkaGroupRetentionMargin(),
	}
}

// culpritFamilies name who keeps a transaction open. How old it is can be told
// without that.
func culpritFamilies() []metrics.Metric {
	return []metrics.Metric{metrics.KafkaOldestTransactionInfo()}
}

// memberFamilies are what is said of groups' members. Names and states of groups
// need Describe on the group or on the cluster, so that neither costs them.
func memberFamilies() []metrics.Metric {
	return []metrics.Metric{
		metrics.KafkaGroupMembers(), metrics.KafkaGroupTopicMembers(), metrics.KafkaGroupTopicAssignedPartitions(),
	}
}

// commitFamilies are what is said of how far groups have come.
func commitFamilies() []metrics.Metric {
	members := namesOf(memberFamilies())
	return slices.DeleteFunc(labelled("topic", "kafka_consumergroup_"), func(m metrics.Metric) bool {
		return slices.Contains(members, m.Name) || !slices.Contains(m.Labels, "consumergroup")
	})
}

// labelled are the families of the catalogue with a label and a prefix, without
// those that are there for the sake of other tools' names only.
func labelled(label, prefix string) []metrics.Metric {
	return slices.DeleteFunc(metrics.All(), func(m metrics.Metric) bool {
		other := m.Origin != "" && m.Origin != metrics.OriginKafkaExporter
		return other || !strings.HasPrefix(m.Name, prefix) || !slices.Contains(m.Labels, label)
	})
}

// costs are the names of the families that an API serves.
func costs(api string) []string {
	var out []string
	for _, r := range rights() {
		if r.api == api {
			out = append(out, namesOf(r.families)...)
		}
	}
	return out
}

func namesOf(list []metrics.Metric) []string {
	out := make([]string, 0, len(list))
	for _, m := range list {
		out = append(out, m.Name)
	}
	return out
}

// Needed is one ACL, with the names of the families that it serves.
type Needed struct {
	Resource  string // Topic, Group, Cluster or TransactionalId
	Name      string // of the resource; * for all
	Operation string // Describe or DescribeConfigs; Read where it is optional
	APIs      []string
	Families  []string
	Optional  bool // what it serves is there without it and says less
}

// ACLs lists the ACLs that the exporter needs, each once.
func ACLs() []Needed {
	var out []Needed
	for _, r := range rights() {
		i := slices.IndexFunc(out, func(n Needed) bool {
			return n.Resource == r.resource && n.Operation == r.operation && n.Name == r.name
		})
		if i < 0 {
			i = len(out)
			out = append(out, Needed{Resource: r.resource, Name: r.name, Operation: r.operation, Optional: r.extra})
		}
		n := &out[i]
		n.APIs = append(n.APIs, r.api)
		for _, name := range namesOf(r.families) {
			if !slices.Contains(n.Families, name) {
				n.Families = append(n.Families, name)
			}
		}
	}
	return out
}

// command is what gives the right to a principal.
func (n Needed) command(principal string) string {
	var on string
	switch n.Resource {
	case onCluster:
		on = "--cluster"
	case onTransaction:
		on = "--transactional-id " + quoted(n.Name)
	default:
		on = "--" + strings.ToLower(n.Resource) + " " + quoted(n.Name)
	}
	return fmt.Sprintf("kafka-acls.sh --bootstrap-server \"$BOOTSTRAP\" --add --allow-principal %s --operation %s %s",
		quoted(principal), n.Operation, on)
}

// PrintACLs writes the commands that give a principal, such as User:lakeproof,
// the rights that the exporter needs, each under the families that it serves. A
// principal without a type is a user.
func PrintACLs(principal string) string {
	if !strings.Contains(principal, ":") {
		principal = "User:" + principal
	}
	var b strings.Builder
	b.WriteString("# The ACLs that `lakeproof export kafka` needs. Each command names the families that go without it.\n" +
		"# Names and states of groups need Describe on the groups or on the cluster.\n" +
		"# Names may be narrowed: --topic orders- --resource-pattern-type prefixed shows those topics only.\n" +
		"BOOTSTRAP=${BOOTSTRAP:-localhost:9092}\n")
	for _, n := range ACLs() {
		mark := ""
		if n.Optional {
			mark = "# "
			b.WriteString("\n# Optional, and not given: names the producer where a transaction's coordinator does not.")
		}
		fmt.Fprintf(&b, "\n# %s\n%s%s%s\n", strings.Join(n.APIs, ", "), wrapped(n.Families), mark, n.command(principal))
	}
	return b.String()
}

// quoted makes one word for a shell.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// wrapped writes names as comments of at most 100 characters.
func wrapped(names []string) string {
	var b strings.Builder
	line := "#  "
	for _, name := range names {
		if len(line)+1+len(name) > 100 {
			b.WriteString(line + "\n")
			line = "#  "
		}
		line += " " + name
	}
	if line != "#  " {
		b.WriteString(line + "\n")
	}
	return b.String()
}
