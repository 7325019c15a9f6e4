package local

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// kafkaUser is the stack's own login of the SECURE listener, which ACLs do not
// bind.
const kafkaUser = "app"

// SecureKafka is how a client logs in at the SASL_SSL listeners of the same
// brokers: SCRAM-SHA-512 behind a certificate of the stack's own authority.
func (s *Stack) SecureKafka() config.Kafka { return s.SecureKafkaAs(kafkaUser, s.keys.password) }

// SecureKafkaAs is the same for a user of [Stack.SetKafkaUser].
func (s *Stack) SecureKafkaAs(user string, password config.Secret) config.Kafka {
	var brokers []string
	for _, n := range s.nodes() {
		brokers = append(brokers, local(n.ports.Secure))
	}
	return config.Kafka{
		Brokers: brokers,
		TLS:     config.TLS{Enabled: true, CAFile: s.path("tls", "ca.crt")},
		SASL:    config.SASL{Mechanism: "SCRAM-SHA-512", Username: user, Password: password},
	}
}

// SetKafkaUser makes a login of the SASL_SSL listeners, or gives it another
// password.
func (s *Stack) SetKafkaUser(ctx context.Context, user string, password config.Secret) error {
	return s.alterUser(ctx, user, nil, []kadm.UpsertSCRAM{{
		User: user, Mechanism: kadm.ScramSha512, Iterations: 4096, Password: password.Reveal(),
	}})
}

// RemoveKafkaUser takes a login away. Connections that it has stay open.
func (s *Stack) RemoveKafkaUser(ctx context.Context, user string) error {
	return s.alterUser(ctx, user, []kadm.DeleteSCRAM{{User: user, Mechanism: kadm.ScramSha512}}, nil)
}

func (s *Stack) alterUser(ctx context.Context, user string, del []kadm.DeleteSCRAM, set []kadm.UpsertSCRAM) error {
	return s.admin(func(adm *kadm.Client) error {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		altered, err := adm.AlterUserSCRAMs(ctx, del, set)
		if err == nil {
			err = altered.Error()
		}
		if err != nil {
			return fmt.Errorf("altering the Kafka login %s: %w", user, err)
		}
		return nil
	})
}

// ACL allows one user one operation. The words are those of Kafka's own
// command, in any case.
type ACL struct {
	User      string // without "User:"
	Operation string // Describe, Read, DescribeConfigs, ...
	Resource  string // Cluster, Topic, Group, TransactionalId
	Name      string // "*" for all; of the cluster always "kafka-cluster"
	Prefixed  bool   // Name is the beginning of a name
}

func (a ACL) String() string {
	return fmt.Sprintf("%s may %s %s %q", a.User, a.Operation, a.Resource, a.Name)
}

// words gives the codes of the wire.
func (a ACL) words() (kmsg.ACLOperation, kmsg.ACLResourceType, kmsg.ACLResourcePatternType, error) {
	operation, err := kmsg.ParseACLOperation(a.Operation)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("reading the operation of an ACL: %w", err)
	}
	resource, err := kmsg.ParseACLResourceType(a.Resource)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("reading the resource of an ACL: %w", err)
	}
	if a.Prefixed {
		return operation, resource, kmsg.ACLResourcePatternTypePrefixed, nil
	}
	return operation, resource, kmsg.ACLResourcePatternTypeLiteral, nil
}

// AddACLs grants rights, see Options.KafkaACLs. The brokers learn of them a
// moment later, each by itself.
func (s *Stack) AddACLs(ctx context.Context, acls ...ACL) error {
	req := kmsg.NewPtrCreateACLsRequest()
	for _, a := range acls {
		operation, resource, pattern, err := a.words()
		if err != nil {
			return err
		}
		c := kmsg.NewCreateACLsRequestCreation()
		c.Principal, c.Host, c.PermissionType = "User:"+a.User, "*", kmsg.ACLPermissionTypeAllow
		c.Operation, c.ResourceType, c.ResourceName, c.ResourcePatternType = operation, resource, a.Name, pattern
		req.Creations = append(req.Creations, c)
	}
	return s.control(ctx, func(ctx context.Context, cl *kgo.Client) error {
		resp, err := req.RequestWith(ctx, cl)
		if err != nil {
			return fmt.Errorf("adding ACLs: %w", err)
		}
		for i, r := range resp.Results {
			if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
				return fmt.Errorf("adding an ACL (%s): %w", acls[i], err)
			}
		}
		return nil
	})
}

// RemoveACLs takes rights away; one that was never given is an error.
func (s *Stack) RemoveACLs(ctx context.Context, acls ...ACL) error {
	req := kmsg.NewPtrDeleteACLsRequest()
	for _, a := range acls {
		operation, resource, pattern, err := a.words()
		if err != nil {
			return err
		}
		f := kmsg.NewDeleteACLsRequestFilter()
		f.Principal, f.Host = new("User:"+a.User), new("*")
		f.PermissionType, f.Operation = kmsg.ACLPermissionTypeAllow, operation
		f.ResourceType, f.ResourceName, f.ResourcePatternType = resource, new(a.Name), pattern
		req.Filters = append(req.Filters, f)
	}
	return s.control(ctx, func(ctx context.Context, cl *kgo.Client) error {
		resp, err := req.RequestWith(ctx, cl)
		if err != nil {
			return fmt.Errorf("removing ACLs: %w", err)
		}
		for i, r := range resp.Results {
			err := kerr.ErrorForCode(r.ErrorCode)
			if err == nil && len(r.MatchingACLs) == 0 {
				err = errors.New("there is no such ACL")
			}
			if err != nil {
				return fmt.Errorf("removing an ACL (%s): %w", acls[i], err)
			}
		}
		return nil
	})
}

// control lends a client of the plain listeners for half a minute.
func (s *Stack) control(ctx context.Context, use func(context.Context, *kgo.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.brokers()...))
	if err != nil {
		return fmt.Errorf("making a Kafka client: %w", err)
	}
	defer client.Close()
	return use(ctx, client)
}

// KafkaTool runs one of Kafka's own command-line classes, by its full name, and
// returns what it prints. Most want "--bootstrap-server" with the brokers of
// [Stack.Config] joined by commas. It is an error when the class ends with one.
func (s *Stack) KafkaTool(ctx context.Context, class string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("no answer within a minute"))
	defer cancel()
	argv := []string{
		"-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.io.tmpdir=" + s.path("tmp"),
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", s.kafkaJars(), class,
	}
	cmd := exec.CommandContext(ctx, "java", append(argv, args...)...)
	cmd.Dir, cmd.Env = s.dir, cleaned(cmd.Environ())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var printed, complained strings.Builder
	cmd.Stdout, cmd.Stderr = &printed, &complained
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return printed.String(), fail.Wrap(
			fmt.Errorf("running %s: %w: %s", class, err, complaint([]byte(complained.String()+printed.String()))),
			fail.Unreachable, "do the nodes run? read "+s.logPath(s.kafkaNames()[0]))
	}
	return printed.String(), nil
}
