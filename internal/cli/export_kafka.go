package cli

import (
	"cmp"
	"maps"
	"slices"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/kafka"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

// kafkaFlags say where Kafka is and what of it is wanted. Those without
// "kafka." of ours are kafka_exporter's, with its names and meanings.
type kafkaFlags struct {
	Servers      []string          `name:"kafka.server" placeholder:"HOST:PORT" help:"A broker; repeatable (default: those of lakeproof.yaml)."`
	KafkaLabels  map[string]string `name:"kafka.labels" mapsep:"," placeholder:"NAME=VALUE" help:"Labels that every Kafka series carries."`
	TopicFilter  string            `name:"topic.filter" default:".*" placeholder:"REGEXP" help:"Topics to show (default: ${default})."`
	TopicExclude string            `name:"topic.exclude" default:"^$" placeholder:"REGEXP" help:"Topics not to show (default: ${default})."`
	GroupFilter  string            `name:"group.filter" default:".*" placeholder:"REGEXP" help:"Groups to show (default: ${default})."`
	GroupExclude string            `name:"group.exclude" default:"^$" placeholder:"REGEXP" help:"Groups not to show (default: ${default})."`
	Compat       []string          `name:"compat" enum:"kminion,kafka-lag-exporter" placeholder:"TOOL" help:"Also the names of kminion or kafka-lag-exporter; repeatable."`
	AllParts     bool              `name:"kafka.all-partitions" help:"New families for every partition (default: only where something is wrong)."`
	Checkpoints  map[string]string `name:"kafka.checkpoint" mapsep:"none" placeholder:"GROUP=URI" help:"A Spark checkpoint to show as a group (default: those of lakeproof.yaml); repeatable."`
	Probe        bool              `name:"kafka.probe" help:"Produce to and consume from every broker, and measure it."`
	ProbeTopic   string            `name:"kafka.probe-topic" default:"lakeproof-probe" placeholder:"NAME" help:"The probe's topic (default: ${default})."`

	saslFlags
	tlsFlags
}

type saslFlags struct {
	SASL          bool   `name:"sasl.enabled" help:"Log in."`
	Mechanism     string `name:"sasl.mechanism" default:"plain" placeholder:"NAME" help:"plain, scram-sha256, scram-sha512, oauthbearer or awsiam (default: ${default})."`
	Username      string `name:"sasl.username" placeholder:"NAME" help:"User."`
	Password      string `name:"sasl.password" placeholder:"TEXT" help:"Password; better in LAKEPROOF_SASL_PASSWORD."`
	PasswordFile  string `name:"sasl.password-file" placeholder:"FILE" help:"File of the password, read again at each login."`
	AWSRegion     string `name:"sasl.aws-region" placeholder:"REGION" help:"Region of awsiam."`
	TokenURL      string `name:"sasl.oauthbearer-token-url" placeholder:"URL" help:"Where oauthbearer gets its token, with user and password as client id and secret."`
	Scopes        string `name:"sasl.oauthbearer-scopes" placeholder:"TEXT" help:"Scopes of that token."`
	ServiceName   string `name:"sasl.service-name" hidden:"" help:"Of Kerberos."`
	KerberosPath  string `name:"sasl.kerberos-config-path" hidden:"" help:"Of Kerberos."`
	Realm         string `name:"sasl.realm" hidden:"" help:"Of Kerberos."`
	KerberosType  string `name:"sasl.kerberos-auth-type" hidden:"" help:"Of Kerberos."`
	KeyTab        string `name:"sasl.keytab-path" hidden:"" help:"Of Kerberos."`
	DisableFXFAST bool   `name:"sasl.disable-PA-FX-FAST" hidden:"" help:"Of Kerberos."`
}

type tlsFlags struct {
	TLS        bool   `name:"tls.enabled" help:"Encrypt."`
	ServerName string `name:"tls.server-name" placeholder:"NAME" help:"Name in the brokers' certificates (default: the host dialled)."`
	CAFile     string `name:"tls.ca-file" placeholder:"FILE" help:"Who signs the brokers' certificates (default: the system's roots)."`
	CertFile   string `name:"tls.cert-file" placeholder:"FILE" help:"Certificate to show the brokers."`
	KeyFile    string `name:"tls.key-file" placeholder:"FILE" help:"Its key."`
	Insecure   bool   `name:"tls.insecure-skip-tls-verify" help:"Do not check the brokers' certificates."`
}

// clusters are the Kafka clusters to watch, by name: the one of the flags, else
// the lab's and those of its section exporters.
func (c *exportCmd) clusters(lab config.Lab) map[string]config.Kafka {
	if len(c.Servers) > 0 {
		return map[string]config.Kafka{lab.Name: {Brokers: c.Servers, TLS: c.tlsFlags.config(), SASL: c.saslFlags.config()}}
	}
	out := map[string]config.Kafka{}
	if len(lab.Kafka.Brokers) > 0 {
		out[lab.Name] = lab.Kafka
	}
	return out
}

// kafkaCollectors makes the collectors of all clusters. Where there are
// several, each of their series says which by a label.
func (c *exportCmd) kafkaCollectors(a *app, lab config.Lab) ([]exporters.Collector, error) {
	clusters := c.clusters(lab)
	if len(clusters) == 0 {
		return nil, fail.New(fail.Usage, "give --kafka.server, or set kafka.brokers in lakeproof.yaml",
			"choosing the Kafka clusters to watch: none is configured")
	}
	store, err := objectstore.New(lab.Storage)
	if err != nil {
		return nil, err
	}
	var all []exporters.Collector
	for _, name := range slices.Sorted(maps.Keys(clusters)) {
		made, err := c.cluster(a, lab, name, clusters[name], store)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, made...)
	}
	return all, nil
}

func (c *exportCmd) cluster(
	a *app, lab config.Lab, name string, cfg config.Kafka, store *objectstore.Store,
) ([]exporters.Collector, error) {
	var labels []exporters.Label
	if len(c.clusters(lab)) > 1 {
		labels = append(labels, exporters.Label{Name: "cluster", Value: name})
	}
	for _, key := range slices.Sorted(maps.Keys(c.KafkaLabels)) {
		labels = append(labels, exporters.Label{Name: key, Value: c.KafkaLabels[key]})
	}
	opts := kafka.Options{
		Cluster: name, Kafka: cfg, Labels: labels, Compat: c.Compat, AssignedOnly: !c.ShowAll,
		TopicFilter: c.TopicFilter, TopicExclude: c.TopicExclude, GroupFilter: c.GroupFilter, GroupExclude: c.GroupExclude,
		Interval: c.Interval, Files: store,
	}
	if c.AllParts {
		opts.Details = kafka.DetailsAll
	}
	if name == lab.Name || len(c.Servers) > 0 {
		opts.Checkpoints = c.checkpoints(lab)
	}
	return kafka.Collectors(opts, a.log)
}

// checkpoints are those to show as groups: the flags', else the lab's.
func (c *exportCmd) checkpoints(lab config.Lab) []kafka.Checkpoint {
	from := c.Checkpoints
	if len(from) == 0 {
		from = map[string]string{}
		for _, s := range lab.Spark {
			if s.Checkpoint != "" {
				from[s.App] = s.Checkpoint
			}
		}
	}
	var out []kafka.Checkpoint
	for _, name := range slices.Sorted(maps.Keys(from)) {
		out = append(out, kafka.Checkpoint{Name: name, URI: from[name]})
	}
	return out
}

func (f tlsFlags) config() config.TLS {
	return config.TLS{
		Enabled: f.TLS, CAFile: f.CAFile, CertFile: f.CertFile, KeyFile: f.KeyFile,
		ServerName: f.ServerName, InsecureSkipVerify: f.Insecure,
	}
}

func (f saslFlags) config() config.SASL {
	if !f.SASL {
		return config.SASL{}
	}
	return config.SASL{Mechanism: mechanisms()[f.Mechanism], Username: f.Username, Password: config.NewSecret(f.Password)}
}

// mechanisms are kafka_exporter's names of the mechanisms, and Kafka's own.
func mechanisms() map[string]string {
	return map[string]string{
		"plain": "PLAIN", "scram-sha256": "SCRAM-SHA-256", "scram-sha512": "SCRAM-SHA-512",
		"oauthbearer": "OAUTHBEARER", "awsiam": "AWS_MSK_IAM", "gssapi": "GSSAPI",
	}
}

// acls are the ACLs that a principal needs, as commands of Kafka's own tool.
func (c *exportCmd) acls() string {
	principal := c.Principal
	if principal == "" {
		principal = "User:" + cmp.Or(c.Username, "lakeproof")
	}
	return kafka.PrintACLs(principal)
}
