package kafka

import (
	"context"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

const (
	apiACLs  = "DescribeAcls"
	apiScram = "DescribeUserScramCredentials"
)

// collectACLs counts the access control entries by type of resource.
func collectACLs(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	p := out.Part("acls")
	q := inquiry{w, out, apiACLs}
	resp, err := anyAnswer[*kmsg.DescribeACLsResponse](ctx, w, s, func() kmsg.Request {
		req := kmsg.NewPtrDescribeACLsRequest()
		req.ResourceType, req.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
		req.Operation, req.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
		return req
	})
	if err == nil {
		err = q.code(resp.ErrorCode)
	}
	if !q.good(p, err) {
		return
	}
	counts := map[string]int{}
	for _, t := range []kmsg.ACLResourceType{
		kmsg.ACLResourceTypeTopic, kmsg.ACLResourceTypeGroup, kmsg.ACLResourceTypeCluster,
		kmsg.ACLResourceTypeTransactionalId, kmsg.ACLResourceTypeDelegationToken, kmsg.ACLResourceTypeUser,
	} {
		counts[strings.ToLower(t.String())] = 0
	}
	for i := range resp.Resources {
		counts[strings.ToLower(resp.Resources[i].ResourceType.String())] += len(resp.Resources[i].ACLs)
	}
	for name, n := range counts {
		p.Add(metrics.KafkaACLs(), float64(n), name)
	}
}

// collectScram counts the users that can log in by SCRAM. Their names are not
// shown.
func collectScram(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	p := out.Part("scram")
	q := inquiry{w, out, apiScram}
	resp, err := anyAnswer[*kmsg.DescribeUserSCRAMCredentialsResponse](ctx, w, s, func() kmsg.Request {
		req := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
		// An empty list is all users. None at all means the same, but Kafka (4.3)
		// then never answers who has no right, and the connection hangs.
		req.Users = []kmsg.DescribeUserSCRAMCredentialsRequestUser{}
		return req
	})
	if err == nil {
		err = q.code(resp.ErrorCode)
	}
	if !q.good(p, err) {
		return
	}
	counts := map[string]int{"SCRAM-SHA-256": 0, "SCRAM-SHA-512": 0}
	for i := range resp.Results {
		r := &resp.Results[i]
		if r.ErrorCode == kerr.ResourceNotFound.Code || !q.item("a user", r.ErrorCode) {
			continue
		}
		for _, c := range r.CredentialInfos {
			counts[mechanism(c.Mechanism)]++
		}
	}
	for name, n := range counts {
		p.Add(metrics.KafkaScramCredentials(), float64(n), name)
	}
}

func mechanism(number int8) string {
	switch number {
	case 1:
		return "SCRAM-SHA-256"
	case 2:
		return "SCRAM-SHA-512"
	default:
		return "unknown"
	}
}
